import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** What is held counts, not what waits to be collected, which hangs on the load of the machine. */
export function collectGarbage(): void {
  collect();
}

/** Whether nobody holds it any more: a reference lives at least until the turn that made it is over. */
export async function isForgotten(reference: WeakRef<object> | undefined): Promise<boolean> {
  await nextTurn();
  collect();
  return reference !== undefined && reference.deref() === undefined;
}
