import type { Style } from '../report/paint.ts';
import { nameOf, type Admission, type Written } from './review.ts';

/** One line as kubectl prints it. `start` is how many of its characters tell its kind. */
export type KubectlLine = { readonly text: string; readonly start: number; readonly style: Style };

/** The name in the webhook configuration. */
const WEBHOOK = 'images.pullguard.io';

/**
 * What `kubectl apply -f FILE` prints for a new object: the warnings as they come in, then that it was created, or the
 * API server's error (apiserver `webhook/errors.ToStatusErr`, kubectl `cmd/util` AddSourceToErr and StandardErrorMessage).
 */
export function applyOutput(
  object: Written,
  { isAllowed, message, warnings }: Admission,
  file: string,
): readonly KubectlLine[] {
  const noted = warnings.map((text) => line('Warning: ', text, 'caution'));
  if (!isAllowed) {
    const denial = `error when creating "${file}": admission webhook "${WEBHOOK}" denied the request: ${message}`;
    return [...noted, line('Error from server (Forbidden): ', denial, 'bad')];
  }
  const { kind, group, name } = nameOf(object);
  return [...noted, line(`${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name} created`, '', 'good')];
}

const line = (start: string, rest: string, style: Style): KubectlLine => ({
  text: `${start}${rest}`,
  start: start.length,
  style,
});
