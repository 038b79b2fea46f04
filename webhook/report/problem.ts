import { describe } from '../outcome/message.ts';
import type { CheckResult } from './result.ts';

/** What needs more than a row: refusals, warnings, findings, and what the user could still settle. */
export function isProblem(result: CheckResult): boolean {
  const { outcome, findings } = result.prediction;
  return result.action !== 'allow' || findings.length > 0 || describe(outcome, result.wording).remedy !== '';
}
