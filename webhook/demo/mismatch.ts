import type { Scene, Verdict } from './chapters.ts';
import type { Applied, Judged } from './stage.ts';

/** In what ways a review did not end as it must, each a sentence; empty where all is as expected. */
export function mismatches({ object, expected }: Scene, { admission, images, errors }: Applied): readonly string[] {
  const wrong: string[] = [];
  for (let at = 0; at < Math.max(expected.length, images.length); at += 1) {
    const [wanted, got] = [expected[at], images[at]];
    const [wantedText, gotText] = [textOf(wanted), textOf(got === undefined ? undefined : verdictOf(got))];
    if (wantedText !== gotText) {
      const image = got === undefined ? `image ${at + 1}` : got.image;
      wrong.push(`${object}: expected ${wantedText} for ${image}, got ${gotText}`);
    }
  }
  for (const error of errors) wrong.push(`${object}: the webhook failed inside: ${String(error)}`);
  // what the API server was told must be what was decided
  const isRefused = images.some(({ action }) => action === 'deny');
  if (admission.isAllowed === isRefused) {
    wrong.push(`${object}: the webhook decided to ${isRefused ? 'refuse' : 'admit'} it and answered otherwise`);
  }
  return wrong;
}

const verdictOf = ({ outcome, isConclusive, action }: Judged): Verdict => ({ outcome, isProven: isConclusive, action });

const textOf = (verdict: Verdict | undefined): string =>
  verdict === undefined
    ? 'no verdict'
    : `${verdict.outcome} (${verdict.isProven ? 'proven' : 'not proven'}, ${verdict.action})`;
