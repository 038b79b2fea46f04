import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRuntime } from '../../webhook/outcome/runtime.ts';
import { stallLimitsOf, type DeclaredStallLimits } from '../../webhook/pull/stall-limit.ts';

const USUAL: DeclaredStallLimits = { containerd: undefined, docker: undefined, crio: undefined };
const KIB = 1024;

type Row = {
  readonly runtimes: readonly string[];
  readonly declared?: Partial<DeclaredStallLimits>;
  readonly silent: string;
  readonly creeping: string;
};

/** pull-parity G5 and G6. */
const ROWS: readonly Row[] = [
  { runtimes: ['containerd@2.0'], silent: 'image_pull_progress_timeout 300', creeping: 'none' },
  { runtimes: ['containerd@1.6'], silent: 'image_pull_progress_timeout 60', creeping: 'none' },
  { runtimes: ['containerd@2.1/local'], silent: 'image_pull_progress_timeout 300', creeping: 'none' },
  {
    runtimes: ['containerd@2.1/transfer'],
    silent: 'none',
    creeping: `image_pull_progress_timeout 300 by ${1024 * KIB}`,
  },
  { runtimes: ['containerd@2.1'], silent: 'none', creeping: 'none' },
  { runtimes: ['containerd'], silent: 'none', creeping: 'none' },
  {
    runtimes: ['docker@28.5'],
    silent: 'image-pull-progress-deadline 60',
    creeping: `image-pull-progress-deadline 60 by ${512 * KIB}`,
  },
  { runtimes: ['crio@1.34'], silent: 'none', creeping: 'none' },
  { runtimes: ['crio@1.34'], declared: { crio: 30 }, silent: 'pull_progress_timeout 30', creeping: 'none' },
  {
    runtimes: ['containerd@2.0'],
    declared: { containerd: 20 },
    silent: 'image_pull_progress_timeout 20',
    creeping: 'none',
  },
  { runtimes: ['containerd@2.0'], declared: { containerd: 0 }, silent: 'none', creeping: 'none' },
  { runtimes: ['containerd@2.0', 'docker@28.5'], silent: 'image_pull_progress_timeout 300', creeping: 'none' },
  {
    runtimes: ['containerd@2.1/transfer', 'docker@28.5'],
    silent: 'none',
    creeping: `image_pull_progress_timeout 300 by ${1024 * KIB}`,
  },
  { runtimes: ['docker@28.5', 'crio@1.34'], silent: 'none', creeping: 'none' },
];

describe('a pull without progress is ended', () => {
  for (const { runtimes, declared = {}, silent, creeping } of ROWS) {
    it(`on ${runtimes.join(' or ')} ${JSON.stringify(declared)}: silent ${silent}, creeping ${creeping}`, () => {
      const variants = runtimes.flatMap((text) => {
        const parsed = parseRuntime(text);
        assert.ok(parsed.ok);
        return parsed.value;
      });

      const limits = stallLimitsOf(variants, { ...USUAL, ...declared });

      assert.equal(limits.silent === undefined ? 'none' : `${limits.silent.name} ${limits.silent.seconds}`, silent);
      const slow = limits.creeping;
      assert.equal(
        slow === undefined ? 'none' : `${slow.limit.name} ${slow.limit.seconds} by ${slow.stepBytes}`,
        creeping,
      );
    });
  }
});
