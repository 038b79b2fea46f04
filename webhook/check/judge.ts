import type { KnownNodes } from '../engine/known-nodes.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import { formatBytes } from '../outcome/quantity.ts';
import { createContentCheck } from '../pull/content.ts';
import type { Budget } from '../registry/budget.ts';
import { createProgress } from '../report/progress.ts';
import type { CheckResult } from '../report/result.ts';
import { runCheck } from './check.ts';
import type { RunOptions } from './flags.ts';
import type { Item } from './items.ts';
import type { Preparation } from './preparation.ts';
import { formatReport, type Shown } from './report.ts';
import { say } from './say.ts';
import type { Streams } from './streams.ts';

/** What a command gathered, by which and for which it asks. */
export type Gathered = {
  readonly options: RunOptions;
  readonly preparation: Preparation;
  readonly items: readonly Item[];
  readonly secrets: SecretSource;
  readonly nodes: KnownNodes | undefined;
  readonly isNew: boolean;
  readonly budget: Budget;
  /** Said before the results, behind those of the preparation. */
  readonly notices: readonly string[];
  readonly shows: Shown;
  /** Something that should be judged could not be read: what was read is judged, and the exit code says so. */
  readonly isPartial: boolean;
};

/** Judges all that was gathered, prints, and returns the exit code of design part 6. */
export async function judge(gathered: Gathered, streams: Streams): Promise<number> {
  const { options, preparation, items, secrets, nodes, isNew, budget } = gathered;
  const { policy, setup, mistakes } = preparation;
  say(streams, [...preparation.notices, ...gathered.notices, ...mistakes]);
  const progress = createProgress(streams.stderr);
  let results: readonly CheckResult[];
  try {
    results = await runCheck({
      policy,
      setup,
      items,
      secrets,
      nodes,
      isNew,
      budget,
      hosts: options.hosts,
      timeoutMs: options.timeoutMs,
      explains: options.explains,
      contentCheck:
        options.verify === 'content'
          ? () => createContentCheck({ onRead: (bytes) => progress.note(`${formatBytes(bytes)} of layers read`) })
          : undefined,
      onProgress: (done, total, current) => progress.update(done, total, current),
      onError: (image, reason) => {
        progress.clear();
        say(streams, [`${image}: an error in Pullguard itself, please report it: ${reason}`]);
      },
    });
  } finally {
    progress.clear();
  }
  const report = formatReport(results, { ...options, shows: gathered.shows }, streams);
  if (report.beside !== '') streams.stderr.write(report.beside);
  streams.stdout.write(report.text);
  return mistakes.length > 0 || gathered.isPartial ? 2 : exitCode(results, options.failOn);
}

function exitCode(results: readonly CheckResult[], failOn: RunOptions['failOn']): number {
  const fails = results.some(({ action }) => action === 'deny' || (failOn === 'warn' && action === 'warn'));
  return fails ? 1 : 0;
}
