import { describe, toPrintable } from '../outcome/message.ts';
import type { CourseStep } from '../outcome/prediction.ts';
import { createPaint } from './paint.ts';
import type { CheckResult } from './result.ts';
import { verdictOf } from './summary.ts';
import { wrap } from './wrap.ts';

export type ExplainOptions = {
  readonly width: number;
  /** A terminal with colours draws the branches as lines, elsewhere they are ASCII. */
  readonly color: boolean;
};

type Branches = { readonly step: string; readonly lastStep: string; readonly through: string; readonly below: string };

const DRAWN: Branches = Object.freeze({ step: '├─ ', lastStep: '└─ ', through: '│  ', below: '   ' });
const PLAIN: Branches = Object.freeze({ step: '|- ', lastStep: '`- ', through: '|  ', below: '   ' });
/** Deeper steps of a hostile or looping course would leave no room to read them. */
const MAX_DEPTH = 12;
const LEAST_TEXT_WIDTH = 20;

/** For each image the course that led to its outcome, as a tree, the outcome as its last branch. Ends in a line break. */
export function formatExplain(results: readonly CheckResult[], options: ExplainOptions): string {
  const paint = createPaint(options.color);
  return results
    .map((result) => {
      const { outcome, course, requests, millis } = result.prediction;
      const place = result.object === result.image ? result.where : `${result.object} ${result.where}`;
      const title = [toPrintable(result.image), toPrintable(place)].filter((part) => part !== '').join('  ');
      const { cause } = describe(outcome, result.wording);
      const cost = `${requests} ${requests === 1 ? 'request' : 'requests'}, ${Math.round(millis)} ms`;
      const end: CourseStep = { text: `${verdictOf(result)} (${outcome.kind}): ${cause}; ${cost}`, steps: [] };
      return `${[paint('strong', title), ...formatCourse([...course, end], options)].join('\n')}\n`;
    })
    .join('\n');
}

/** The steps of a course as lines of a tree. */
export function formatCourse(course: readonly CourseStep[], options: ExplainOptions): readonly string[] {
  return branch(course, '', 0, { width: options.width, branches: options.color ? DRAWN : PLAIN });
}

type Drawing = { readonly width: number; readonly branches: Branches };

function branch(steps: readonly CourseStep[], prefix: string, depth: number, drawing: Drawing): readonly string[] {
  const { branches, width } = drawing;
  if (depth >= MAX_DEPTH) return steps.length === 0 ? [] : [`${prefix}${branches.lastStep}...`];
  return steps.flatMap((step, at) => {
    const isLast = at === steps.length - 1;
    const below = `${prefix}${isLast ? branches.below : branches.through}`;
    const hanging = `${below}${step.steps.length > 0 ? branches.through : ''}`;
    const lines = wrap(toPrintable(step.text), Math.max(LEAST_TEXT_WIDTH, width - hanging.length));
    const [first = '', ...others] = lines;
    return [
      `${prefix}${isLast ? branches.lastStep : branches.step}${first}`,
      ...others.map((line) => `${hanging}${line}`),
      ...branch(step.steps, below, depth + 1, drawing),
    ];
  });
}
