import * as z from 'zod';
import { ACTIONS, DEFAULT_ACTIONS, DEFAULT_FINDING_ACTIONS, type ActionPair } from '../outcome/action.ts';
import { FINDING_KINDS } from '../outcome/finding.ts';
import { OUTCOME_KINDS, type OutcomeKind } from '../outcome/outcome.ts';
import { formatDuration } from './duration.ts';
import { nodesSchema } from './node-schema.ts';
import { MODES, type ActionChoice, type Limits, type Policy } from './policy.ts';
import { actionChoice, DENIES_PULLABLE, isDenial, ruleSchema } from './rule-schema.ts';
import { cidr, duration, host, hostAndPort, imagePattern, namespaceGlob } from './scalar.ts';

const REGISTRY_MS = 2500;
const SECRET_MS = 1000;
/** The API server waits at most 30 s for a webhook (`timeoutSeconds`), and the answer takes its way too. */
const MAX_REVIEW_MS = 29_000;

const limits = z
  .strictObject({
    review: duration(100, MAX_REVIEW_MS)
      .prefault('3500ms')
      .meta({ description: 'For one review; below timeoutSeconds of the webhook.' }),
    registry: duration(50, MAX_REVIEW_MS)
      .optional()
      .meta({ description: 'For one registry; 2500ms, or review where that is less.' }),
    secret: duration(50, MAX_REVIEW_MS)
      .optional()
      .meta({ description: 'For reading one Secret; 1s, or review where that is less.' }),
    maxImages: z.int().min(1).max(512).default(64).meta({ description: 'Images checked in one review.' }),
    maxHosts: z.int().min(1).max(128).default(16).meta({ description: 'Registries asked in one review.' }),
    maxPullSeconds: z.int().min(1).max(86_400).optional().meta({ description: 'A longer pull is pull-too-slow.' }),
    // ten a second: a rollout stays below it, and registries that limit by the minute leave more to the nodes
    requestsPerMinute: z.int().min(1).max(60_000).default(600).meta({ description: 'To one registry.' }),
    connectionsPerHost: z.int().min(1).max(64).default(8).meta({ description: 'Open at a time, to one registry.' }),
  })
  .superRefine((written, context) => {
    for (const field of ['registry', 'secret'] as const) {
      if ((written[field] ?? 0) <= written.review) continue;
      const review = formatDuration(written.review);
      const message = `is longer than the whole review may take (limits.review is ${review})`;
      context.addIssue({ code: 'custom', path: [field], message });
    }
  })
  .transform(({ review, registry, secret, ...counts }): Limits => ({
    ...counts,
    maxPullSeconds: counts.maxPullSeconds,
    reviewMs: review,
    registryMs: registry ?? Math.min(REGISTRY_MS, review),
    secretMs: secret ?? Math.min(SECRET_MS, review),
  }));

const network = z.strictObject({
  allow: z.array(hostAndPort).default([]).meta({ description: 'HOST:PORT that may be dialled though it is internal.' }),
  blockedRanges: z.array(cidr).default([]).meta({ description: 'Service and Pod ranges, never dialled.' }),
  strictRealms: z.boolean().default(false).meta({ description: "Credentials only to the registry's own host." }),
  realms: z
    .array(z.strictObject({ registry: host, realm: host }))
    .default([])
    .meta({ description: 'Token services on other hosts that strictRealms allows.' }),
});

const hints = z.strictObject({
  similarTags: z.boolean().default(false).meta({
    description:
      'Names tags like one that does not exist: at most two more requests, for at most half of limits.registry.',
  }),
});

/** The document that people write (design, part 6), with every default; parsed, it is a {@link Policy}. */
export const policySchema = z
  .strictObject({
    apiVersion: z.literal('pullguard.io/v1').optional(),
    kind: z.literal('PullPolicy').optional(),
    mode: z
      .enum(MODES)
      .default('enforce')
      .meta({ description: 'observe: metrics only; warn: nothing is denied; enforce: what is proven is refused.' }),
    actions: z
      .partialRecord(z.enum(OUTCOME_KINDS), actionChoice)
      .refine((actions) => !isDenial(actions.pullable), {
        path: ['pullable'],
        error: DENIES_PULLABLE,
        // also where another action is misspelt: every mistake is named at once
        when: ({ value }) => typeof value === 'object' && value !== null,
      })
      .prefault({})
      .meta({ description: 'What an outcome meets, by its kind.' }),
    findings: z
      .partialRecord(z.enum(FINDING_KINDS), z.enum(ACTIONS))
      .default({})
      .meta({ description: 'What is noticed beside the outcome, by its kind.' }),
    controllerPods: z
      .enum(['warn', 'enforce'])
      .default('warn')
      .meta({ description: 'What a Pod meets that a controller made, whose denial nobody sees.' }),
    placeholders: z
      .array(z.string().min(1))
      .default(['auto'])
      .meta({ description: 'Images that a mutating webhook replaces, exactly as written; auto is what Istio writes.' }),
    exempt: z
      .strictObject({
        namespaces: z.array(namespaceGlob).default([]).meta({ description: 'Namespaces that are never checked.' }),
        images: z.array(imagePattern).default([]).meta({ description: 'Images that are never checked.' }),
      })
      .prefault({})
      .meta({ description: 'Never checked.' }),
    nodes: nodesSchema.prefault({}).meta({ description: 'What the nodes know and Pullguard cannot see.' }),
    limits: limits.prefault({}).meta({ description: 'What one review, and one registry, may take.' }),
    network: network.prefault({}).meta({ description: 'What may be dialled, and where credentials may go.' }),
    hints: hints
      .prefault({})
      .meta({ description: 'What may shorten a search; it costs requests and changes no verdict.' }),
    rules: z
      .array(ruleSchema)
      .max(500)
      .default([])
      .meta({ description: 'The first rule that matches and sets a field decides that field.' }),
  })
  .meta({ title: 'Pullguard policy', description: 'Keys and passwords are never in it, only the names of Secrets.' })
  .transform(({ apiVersion: _apiVersion, kind: _kind, actions, findings, ...rest }): Policy => ({
    ...rest,
    actions: withDefaults(actions),
    findings: { ...DEFAULT_FINDING_ACTIONS, ...findings },
  }));

function withDefaults(written: Readonly<Partial<Record<OutcomeKind, ActionChoice>>>): Policy['actions'] {
  const merged: Record<OutcomeKind, ActionPair> = { ...DEFAULT_ACTIONS };
  for (const kind of OUTCOME_KINDS) {
    const usual = merged[kind];
    merged[kind] = {
      proven: written[kind]?.proven ?? usual.proven,
      unproven: written[kind]?.unproven ?? usual.unproven,
    };
  }
  return merged;
}
