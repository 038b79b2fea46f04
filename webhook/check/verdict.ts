import type { Action } from '../outcome/action.ts';
import type { Finding } from '../outcome/finding.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { RuntimeFamily } from '../outcome/runtime.ts';
import { decideImage, explainDecision, type ImageVerdict } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { CheckResult } from '../report/result.ts';
import { subjectOf, type Item } from './items.ts';

export type Predicted = { readonly item: Item; readonly prediction: Prediction };

/** What the policy makes of an answer, with all that a report shows of it. */
export function verdictOn({ item, prediction }: Predicted, policy: Policy, family: RuntimeFamily): CheckResult {
  const subject = subjectOf(item);
  const verdict = decideImage(policy, subject, prediction);
  return {
    object: item.object,
    path: item.use.path,
    image: item.use.image,
    where: item.use.where,
    prediction: { ...prediction, findings: spoken(verdict) },
    action: strictest(verdict),
    decidedBy: explainDecision(policy, subject, prediction),
    wording: { family, image: item.use.image },
    file: item.file,
    line: item.line,
  };
}

/** A finding that the policy allows is not spoken of. */
function spoken(verdict: ImageVerdict): readonly Finding[] {
  return verdict.findings.filter(({ action }) => action !== 'allow').map(({ finding }) => finding);
}

/** A finding that denies refuses by itself; one that warns does not make a good image a bad one. */
function strictest(verdict: ImageVerdict): Action {
  return verdict.findings.some(({ action }) => action === 'deny') ? 'deny' : verdict.action;
}
