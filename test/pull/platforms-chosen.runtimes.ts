import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createImageStore, type StoredPlatform } from '../../webhook/demo/image-store.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, predict } from './rig.ts';

/** One of each way to choose (pull-parity F2): what a runtime's version does not change is asked of one version. */
const RUNTIMES = [
  'containerd@1.7',
  'containerd@2.0',
  'containerd@2.1/transfer',
  'containerd@2.1/local',
  'docker@20.10/graph',
  'docker@28.5/graph',
  'docker@29/containerd',
  'crio@1.34',
] as const;

/** One mark a runtime: `y` pulls, `n` is a platform mismatch. */
type Row = {
  readonly node: string;
  readonly entries: readonly string[];
  readonly pulls: string;
  readonly rule: string;
};

const ROWS: readonly Row[] = [
  { node: 'linux/amd64', entries: ['linux/amd64'], pulls: 'yyyyyyyy', rule: 'F2' },
  { node: 'linux/amd64', entries: ['linux/arm64', 'linux/ppc64le'], pulls: 'nnnnnnnn', rule: 'J62' },
  { node: 'linux/amd64', entries: [], pulls: 'nnnnnnnn', rule: 'J63' },
  { node: 'linux/amd64', entries: ['unknown/unknown'], pulls: 'nnnnnnnn', rule: 'J63' },
  { node: 'linux/amd64', entries: ['linux/amd64', 'unknown/unknown'], pulls: 'yyyyyyyy', rule: 'J64' },
  { node: 'linux/amd64', entries: ['linux/386'], pulls: 'yynynyyn', rule: 'J65' },
  { node: 'linux/amd64', entries: ['linux/i386'], pulls: 'yynynyyn', rule: 'F1' },
  { node: 'linux/amd64', entries: ['linux/x86_64'], pulls: 'yyyyyyyn', rule: 'F1' },
  { node: 'linux/amd64', entries: ['Linux/amd64'], pulls: 'yyyyyyyn', rule: 'F1' },
  { node: 'linux/amd64', entries: ['linux/x86_64', 'linux/amd64'], pulls: 'yyyyyyyy', rule: 'F1' },
  { node: 'linux/amd64', entries: ['linux/amd64/v1'], pulls: 'yyyyyyyn', rule: 'F1' },
  { node: 'linux/amd64', entries: ['linux/amd64/v2'], pulls: 'nnnnnynn', rule: 'F2' },
  { node: 'linux/amd64', entries: ['linux/amd64/v3'], pulls: 'nnnnnynn', rule: 'J66' },
  { node: 'linux/amd64', entries: ['linux/amd64/v3', 'linux/amd64'], pulls: 'yyyyyyyy', rule: 'F2' },
  { node: 'linux/amd64', entries: ['windows/amd64'], pulls: 'nnnnnnnn', rule: 'F3' },
  { node: 'linux/arm64', entries: ['linux/arm64'], pulls: 'yyyyyyyy', rule: 'F2' },
  { node: 'linux/arm64', entries: ['linux/arm64/v8'], pulls: 'yyyyyyyy', rule: 'F1' },
  { node: 'linux/arm64', entries: ['linux/aarch64'], pulls: 'yyyyyyyn', rule: 'F1' },
  ...['v8', 'v7', 'v6', 'v5'].map((variant) => ({
    node: 'linux/arm64',
    entries: [`linux/arm/${variant}`],
    pulls: 'yynynyyn',
    rule: 'F2',
  })),
  { node: 'linux/arm64', entries: ['linux/amd64'], pulls: 'nnnnnnnn', rule: 'F2' },
  { node: 'linux/arm/v7', entries: ['linux/arm'], pulls: 'yyyyyyyy', rule: 'F1' },
  { node: 'linux/arm/v7', entries: ['linux/arm/v6'], pulls: 'yynyyyyy', rule: 'F2' },
  { node: 'linux/arm/v7', entries: ['linux/arm/v5'], pulls: 'yynyyyyy', rule: 'F2' },
  { node: 'linux/arm/v7', entries: ['linux/armel'], pulls: 'yynyyyyn', rule: 'F1' },
  { node: 'linux/arm/v7', entries: ['linux/armhf'], pulls: 'yyyyyyyn', rule: 'F1' },
  { node: 'linux/arm/v7', entries: ['linux/arm/v8'], pulls: 'nnnnynnn', rule: 'F2' },
  { node: 'linux/arm/v7', entries: ['linux/arm64'], pulls: 'nnnnnnnn', rule: 'F2' },
  { node: 'linux/amd64/v3', entries: ['linux/amd64/v2'], pulls: 'yyny-yy-', rule: 'F2' },
];

describe('which entry of an index a node takes', { concurrency: true }, () => {
  const store = createImageStore();
  const nameOf = (at: number): string => `chosen/p${at}`;
  let registry: ScriptedRegistry;
  let transport: Transport;
  before(async () => {
    for (const [at, { entries }] of ROWS.entries()) {
      const repository = store.repository(nameOf(at));
      repository.addIndex(
        entries.map((text) => repository.addImage({ platform: platformOf(text) })),
        { tags: ['1'] },
      );
    }
    registry = await startScriptedRegistry({ store });
    transport = createWire();
  });
  after(() => Promise.all([transport.close(), registry.close()]));

  for (const [at, { node, entries, pulls, rule }] of ROWS.entries()) {
    it(`${node} of ${entries.join(' and ') || 'none'} (${rule})`, async () => {
      const host = `reg.test:${registry.port}`;
      const answers = await Promise.all(
        RUNTIMES.map(async (runtime, column) => {
          if (pulls[column] === '-') return '-';
          const options = { transport, runtime, platforms: [node], insecure: [host], setup: hostsFile(host, []) };
          const { outcome, isConclusive } = await predict(`${host}/${nameOf(at)}:1`, options);
          if (outcome.kind === 'pullable') return 'y';
          return outcome.kind === 'platform-mismatch' && isConclusive ? 'n' : JSON.stringify(outcome);
        }),
      );

      assert.equal(answers.join(''), pulls);
    });
  }
});

function platformOf(text: string): StoredPlatform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
