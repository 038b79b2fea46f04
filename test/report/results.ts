import * as fc from 'fast-check';
import { ACTIONS } from '../../webhook/outcome/action.ts';
import { OUTCOME_KINDS, type PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import type { CheckResult } from '../../webhook/report/result.ts';
import { SAMPLES } from '../outcome/samples.ts';
import { anyText } from '../support/any-text.ts';

export const IMAGE = 'reg.example:5000/team/app:1';

/** A result about container "web" of a Deployment, changed as asked. */
export function result(
  outcome: PullOutcome,
  changes: Partial<Omit<CheckResult, 'prediction'>> & { readonly prediction?: Partial<Prediction> } = {},
): CheckResult {
  const { prediction, ...others } = changes;
  return {
    object: 'Deployment/shop/web',
    path: 'spec.template.spec.containers[0].image',
    image: IMAGE,
    where: 'container "web"',
    action: 'allow',
    wording: { family: 'containerd', image: IMAGE },
    ...others,
    prediction: {
      outcome,
      isConclusive: true,
      doubts: [],
      findings: [],
      requests: 3,
      millis: 41,
      course: [],
      ...prediction,
    },
  };
}

/** An image named on the command line. */
export function bare(
  image: string,
  outcome: PullOutcome,
  changes: Partial<Omit<CheckResult, 'prediction'>> = {},
): CheckResult {
  return result(outcome, {
    object: image,
    path: '',
    where: '',
    image,
    wording: { family: 'containerd', image },
    ...changes,
  });
}

export const PULLABLE = bare('nginx:1.29', SAMPLES.pullable);
export const DENIED = result(SAMPLES['tag-not-found'], { action: 'deny', file: 'deploy/web.yaml', line: 12 });
export const WARNED = result(SAMPLES['access-denied'], {
  action: 'warn',
  where: 'init container "migrate"',
  path: 'spec.template.spec.initContainers[0].image',
  prediction: {
    isConclusive: false,
    doubts: ['node-credentials'],
    findings: [{ kind: 'pull-secret-missing', secret: 'ci' }],
  },
});
export const SKIPPED = result(SAMPLES['not-checked']);

const name = fc.oneof(
  anyText(80),
  fc.string({ maxLength: 30 }),
  fc.constantFrom('web', '<&">\']]>', '\u001b[31m\n', 'a/b:c@d-e'.repeat(12), '\ud800', ''),
);

/** Results with names that anybody wrote. */
export const anyResults: fc.Arbitrary<readonly CheckResult[]> = fc.array(
  fc
    .record({
      kind: fc.constantFrom(...OUTCOME_KINDS),
      action: fc.constantFrom(...ACTIONS),
      object: name,
      path: name,
      image: name,
      where: name,
      file: fc.option(name, { nil: undefined }),
      hasFinding: fc.boolean(),
      text: name,
    })
    .map(({ kind, action, object, path, image, where, file, hasFinding, text }) =>
      result(SAMPLES[kind], {
        action,
        object,
        path,
        image,
        where,
        file,
        line: 3,
        wording: { family: 'docker', image },
        prediction: {
          doubts: ['node-settings'],
          findings: hasFinding ? [{ kind: 'pull-secret-missing', secret: text }] : [],
          course: [{ text, steps: [{ text: where, steps: [] }] }],
        },
      }),
    ),
  { maxLength: 5 },
);
