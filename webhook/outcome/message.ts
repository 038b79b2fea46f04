import { describeCause } from './cause.ts';
import type { Doubt } from './certainty.ts';
import { describeDoubts } from './doubt.ts';
import { describeEvidence } from './evidence.ts';
import type { PullOutcome } from './outcome.ts';
import { capitalized, field, shortenEnd, shortenMiddle, toPrintable } from './printable.ts';
import { describeRemedy } from './remedy.ts';
import type { Wording } from './wording.ts';

export { describeDoubts } from './doubt.ts';
export { describeFinding } from './finding-text.ts';
export { shortenMiddle, toPrintable } from './printable.ts';
export type { Wording } from './wording.ts';

/** The words for one outcome: printable ASCII, each without a full stop, `''` where there is nothing to say. */
export type Description = { readonly cause: string; readonly evidence: string; readonly remedy: string };

export function describe(outcome: PullOutcome, wording: Wording): Description {
  return {
    cause: toPrintable(describeCause(outcome, wording)),
    evidence: toPrintable(describeEvidence(outcome)),
    remedy: toPrintable(describeRemedy(outcome, wording)),
  };
}

export type VerdictParts = {
  /** `container "web"`; empty for an image that no object names. */
  readonly where: string;
  /** `spec.template.spec.containers[0].image`. */
  readonly path?: string;
  readonly image: string;
  readonly outcome: PullOutcome;
  readonly doubts: readonly Doubt[];
  readonly wording: Wording;
};

type Shown = { readonly image: string; readonly evidence: string; readonly doubts: string; readonly remedy: string };

/** Longer than any valid reference; what is longer still is cut even where a line has no limit. */
const MAX_IMAGE = 800;
/** What an image is shortened to before anything else is dropped: enough to recognise it by both ends. */
const SHORT_IMAGE = 48;
const LEAST_IMAGE = 16;
const MAX_WHERE = 160;
const SHORT_WHERE = 24;
/** A remedy of fewer characters is no remedy. */
const LEAST_REMEDY = 24;

/**
 * One line for people: `container "web", image reg:5000/app:1: CAUSE (EVIDENCE). DOUBTS. REMEDY` Where it exceeds
 * `maxLength`, the image is shortened in its middle, then its path goes, the evidence, the doubts, then the remedy is cut;
 * the cause stays whole in 240 characters.
 */
export function verdictLine(parts: VerdictParts, limits?: { readonly maxLength: number }): string {
  const { cause, evidence, remedy } = describe(parts.outcome, parts.wording);
  const doubts = capitalized(describeDoubts(parts.doubts));
  const image = field(parts.image, MAX_IMAGE);
  const path = parts.path === undefined ? '' : ` (${field(parts.path, MAX_WHERE)})`;
  const where = field(parts.where, MAX_WHERE);
  const place = `${where}${path}`.trim();
  const compose = (at: string, shown: Shown): string => {
    const known = shown.evidence === '' ? '' : ` (${shown.evidence})`;
    const subject = `${at === '' ? '' : `${at}, `}image ${shown.image}`;
    const sentences = [`${subject}: ${cause}${known}`, shown.doubts, shown.remedy];
    return joined(sentences.filter((sentence) => sentence !== ''));
  };

  const max = limits?.maxLength ?? Infinity;
  const whole: Shown = { image, evidence, doubts, remedy };
  const variants: readonly (readonly [at: string, shown: Shown])[] = [
    [place, whole],
    [where, whole],
    [where, { ...whole, evidence: '' }],
    [where, { ...whole, evidence: '', doubts: '' }],
  ];
  for (const [at, shown] of variants) {
    const line = withRoomForImage((text) => compose(at, { ...shown, image: text }), image, max);
    if (line !== undefined) return line;
  }
  const bare: Shown = { image: shortenMiddle(image, SHORT_IMAGE), evidence: '', doubts: '', remedy: '' };
  const least = compose(field(parts.where, SHORT_WHERE), { ...bare, image: shortenMiddle(image, LEAST_IMAGE) });
  const start = [compose(where, bare), least].find((line) => line.length <= max);
  if (start === undefined) return shortenEnd(least, max);
  const room = max - start.length - 2;
  return room < Math.min(LEAST_REMEDY, remedy.length) || remedy === ''
    ? start
    : joined([start, shortenEnd(remedy, room)]);
}

/** The line with as much of the image as there is room for; `undefined` where even a short image is too long. */
function withRoomForImage(compose: (image: string) => string, image: string, max: number): string | undefined {
  const line = compose(image);
  if (line.length <= max) return line;
  const room = image.length - (line.length - max);
  return room < SHORT_IMAGE ? undefined : compose(shortenMiddle(image, room));
}

/** Full stops between the sentences but none at the end, where a command may stand that is copied. */
function joined(sentences: readonly string[]): string {
  return sentences
    .map((sentence, at) => (at === sentences.length - 1 || /[.!?]$/u.test(sentence) ? sentence : `${sentence}.`))
    .join(' ');
}
