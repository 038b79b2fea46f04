import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPlatforms } from '../../webhook/admission/platforms.ts';
import { formatPlatform } from '../../webhook/image/platform.ts';

const ARCH = 'kubernetes.io/arch';
const OS = 'kubernetes.io/os';
type Expression = { readonly key: string; readonly operator: string; readonly values: readonly unknown[] };
const isIn = (key: string, ...values: readonly unknown[]): Expression => ({ key, operator: 'In', values });
const required = (...terms: readonly (readonly Expression[])[]): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: terms.map((matchExpressions) => ({ matchExpressions })),
      },
    },
  },
});

describe('readPlatforms', () => {
  const CASES: readonly (readonly [
    what: string,
    spec: unknown,
    platforms: readonly string[] | undefined,
    isFixed?: boolean,
  ])[] = [
    ['nothing', {}, undefined],
    ['an operating system alone', { nodeSelector: { [OS]: 'linux' } }, undefined],
    ['both labels', { nodeSelector: { [OS]: 'linux', [ARCH]: 'amd64' } }, ['linux/amd64'], true],
    [
      'the beta labels',
      { nodeSelector: { 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'arm64' } },
      ['linux/arm64'],
      true,
    ],
    [
      'os.name and an architecture',
      { os: { name: 'windows' }, nodeSelector: { [ARCH]: 'amd64' } },
      ['windows/amd64'],
      true,
    ],
    ['arm64 alone, which no Windows node is', { nodeSelector: { [ARCH]: 'arm64' } }, ['linux/arm64'], true],
    ['amd64 alone, which a Windows node may be', { nodeSelector: { [ARCH]: 'amd64' } }, ['linux/amd64'], false],
    ['arm, whose variant no label tells', { nodeSelector: { [OS]: 'linux', [ARCH]: 'arm' } }, ['linux/arm/v7'], false],
    [
      'several values',
      required([isIn(OS, 'linux'), isIn(ARCH, 'amd64', 'arm64')]),
      ['linux/amd64', 'linux/arm64'],
      true,
    ],
    [
      'alternatives',
      required([isIn(OS, 'linux'), isIn(ARCH, 'amd64')], [isIn(ARCH, 's390x')]),
      ['linux/amd64', 'linux/s390x'],
      true,
    ],
    ['alternatives of which one is open', required([isIn(ARCH, 'arm64')], [isIn('zone', 'a')]), undefined],
    [
      'a selector beside alternatives',
      { nodeSelector: { [ARCH]: 'arm64', [OS]: 'linux' }, ...required([isIn('zone', 'a')], [isIn('zone', 'b')]) },
      ['linux/arm64'],
      true,
    ],
    [
      'a contradiction',
      { nodeSelector: { [OS]: 'linux', [ARCH]: 'arm64' }, ...required([isIn(ARCH, 'amd64')]) },
      undefined,
    ],
    ['a term that matches no node', required([], [isIn(OS, 'linux'), isIn(ARCH, 'arm64')]), ['linux/arm64'], true],
    ['another operator', required([{ key: ARCH, operator: 'NotIn', values: ['arm64'] }]), undefined],
    [
      'preferred affinity',
      { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } },
      undefined,
    ],
    [
      'values that are no platforms',
      required([isIn(OS, 'linux'), isIn(ARCH, 'a/b', '', 7, 'arm64')]),
      ['linux/arm64'],
      true,
    ],
    [
      'more values than there are platforms',
      required([isIn(ARCH, ...Array.from({ length: 5000 }, (_, at) => `a${at}`))]),
      undefined,
    ],
    ['what is no Pod spec', ['x'], undefined],
  ];
  for (const [what, spec, platforms, isFixed] of CASES) {
    it(`reads ${what}`, () => {
      const choice = readPlatforms(spec);

      assert.deepEqual(choice?.platforms.map(formatPlatform), platforms);
      assert.equal(choice?.isFixed, isFixed);
    });
  }
});
