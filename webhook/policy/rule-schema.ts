import * as z from 'zod';
import { ACTIONS } from '../outcome/action.ts';
import { OUTCOME_KINDS } from '../outcome/outcome.ts';
import { MODES, type ActionChoice, type Rule } from './policy.ts';
import { imagePattern, kindGlob, namespaceGlob } from './scalar.ts';

/** `deny` says it of what is proven and of what is not; `{proven, unproven}` says it of one half or both. */
export const actionChoice = z
  .union([
    z.enum(ACTIONS),
    z
      .strictObject({ proven: z.enum(ACTIONS).optional(), unproven: z.enum(ACTIONS).optional() })
      .refine((pair) => pair.proven !== undefined || pair.unproven !== undefined, {
        error: 'sets nothing: give proven, unproven or both',
      }),
  ])
  .meta({ description: 'One action for proven and unproven outcomes alike, or one for each.' })
  .transform((written): ActionChoice =>
    typeof written === 'string'
      ? { proven: written, unproven: written }
      : { proven: written.proven, unproven: written.unproven },
  );

const some = { error: 'is empty and would match nothing: leave it out to match everything' };

/** One entry of `rules`. What a rule could never do is a mistake, so that nobody relies on it. */
export const ruleSchema = z
  .strictObject({
    name: z.string().min(1).max(100).optional().meta({ description: 'For you, and for --explain.' }),
    match: z
      .strictObject({
        namespaces: z.array(namespaceGlob).min(1, some).optional(),
        images: z.array(imagePattern).min(1, some).optional(),
        kinds: z.array(kindGlob).min(1, some).optional(),
        causes: z.array(z.enum(OUTCOME_KINDS)).min(1, some).optional(),
      })
      .prefault({})
      .meta({ description: 'Each list that is given must have a match; an empty match is every image.' }),
    set: z
      .strictObject({
        mode: z.enum(MODES).optional(),
        action: actionChoice.optional(),
        controllerPods: z.enum(['warn', 'enforce']).optional(),
        exempt: z.boolean().optional().meta({ description: 'true: not checked; false: checked all the same.' }),
        maxPullSeconds: z.int().min(1).max(86_400).optional().meta({ description: 'As limits.maxPullSeconds.' }),
      })
      .refine((set) => Object.values(set).some((value) => value !== undefined), {
        error: 'sets nothing: give mode, action, controllerPods, exempt or maxPullSeconds',
      })
      .meta({ description: 'What holds for what matches; what is not set stays as it is.' }),
  })
  .superRefine(({ match, set }, context) => {
    const mistake = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: ['set', field], message });
    };
    const early = 'has no effect with match.causes: it is decided before the check, when no cause is known';
    if (match.causes !== undefined && set.exempt !== undefined) mistake('exempt', early);
    if (match.causes !== undefined && set.maxPullSeconds !== undefined) mistake('maxPullSeconds', early);
    if (match.causes === undefined && set.action?.unproven === 'deny') {
      mistake('action', 'would refuse whatever could not be found out: name match.causes, or write {proven: deny}');
    }
    if (match.causes?.includes('pullable') === true && isDenial(set.action)) mistake('action', DENIES_PULLABLE);
  })
  .transform(({ name, match, set }): Rule => ({
    name,
    match: {
      namespaces: match.namespaces,
      images: match.images,
      kinds: match.kinds,
      causes: match.causes,
    },
    set: {
      mode: set.mode,
      action: set.action,
      controllerPods: set.controllerPods,
      exempt: set.exempt,
      maxPullSeconds: set.maxPullSeconds,
    },
  }));

/** One line of policy must not stop every Pod of a cluster. */
export const DENIES_PULLABLE = 'cannot deny "pullable": it would refuse every image that the nodes can pull';

export function isDenial(choice: ActionChoice | undefined): boolean {
  return choice?.proven === 'deny' || choice?.unproven === 'deny';
}
