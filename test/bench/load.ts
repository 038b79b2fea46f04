import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadJob, LoadResult } from './load-process.ts';

export type Measured = Extract<LoadResult, { kind: 'measured' }>;

/** The client, in a process of its own: one job at a time. */
export type Load = {
  /** Throws where an answer was wrong. */
  readonly run: (job: LoadJob) => Promise<Measured>;
  readonly close: () => Promise<void>;
};

export function startLoad(): Load {
  const child = fork(join(import.meta.dirname, 'load-process.ts'));
  const ended = once(child, 'exit');
  return {
    run: async (job) => {
      child.send(job);
      const [result]: readonly LoadResult[] = await once(child, 'message');
      if (result?.kind !== 'measured') throw new Error(result?.reason ?? 'the client ended');
      return result;
    },
    close: async () => {
      child.disconnect();
      await ended;
    },
  };
}
