import type { CourseStep } from '../outcome/prediction.ts';

/** Writes down what a prediction does, as a tree, for `--explain`. */
export type Course = {
  readonly note: (text: string, command?: () => string) => void;
  /** A step with steps of its own. */
  readonly enter: (text: string) => Course;
  readonly steps: () => readonly CourseStep[];
};

/** For everybody who does not ask: nothing is kept. */
export const silentCourse: Course = { note: () => undefined, enter: () => silentCourse, steps: () => [] };

type Step = { readonly text: string; readonly command: string | undefined; readonly inner: Course | undefined };

/** A course of more steps than that is not read by anybody; the rest is left out. */
const MAX_STEPS = 500;

export function createCourse(): Course {
  const steps: Step[] = [];
  return {
    note: (text, command) => {
      if (steps.length < MAX_STEPS) steps.push({ text, command: command?.(), inner: undefined });
    },
    enter: (text) => {
      if (steps.length >= MAX_STEPS) return silentCourse;
      const inner = createCourse();
      steps.push({ text, command: undefined, inner });
      return inner;
    },
    steps: () =>
      steps.map(({ text, command, inner }) => ({
        text,
        ...(command === undefined ? {} : { command }),
        steps: inner?.steps() ?? [],
      })),
  };
}
