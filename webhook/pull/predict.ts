import type { ImageReference } from '../image/reference.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import type { Credential } from '../credentials/credential.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { PlanEndpoints } from '../node/settings.ts';
import { CERTAINTY_BASIS, type Doubt } from '../outcome/certainty.ts';
import type { Finding } from '../outcome/finding.ts';
import type { Identity, PullOutcome } from '../outcome/outcome.ts';
import type { PlatformChoice, Prediction } from '../outcome/prediction.ts';
import { formatRuntime, type Runtime } from '../outcome/runtime.ts';
import type { Budget } from '../registry/budget.ts';
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import type { RealmRules } from '../registry/realm.ts';
import type { ClientStyle } from '../registry/token.ts';
import type { Transport } from '../registry/transport.ts';
import { furthest, isNoise, isSuccess, uniqueDoubts, type Attempt, type PullContext } from './attempt.ts';
import { expiringCertificates } from './certificates.ts';
import type { ContentCheck } from './content-check.ts';
import type { Course } from './course.ts';
import { askForeignUrls, passOver } from './foreign-layers.ts';
import type { GraphMemory } from './graph-memory.ts';
import { attemptPull } from './pull.ts';
import { traitsOf, type RuntimeTraits } from './traits.ts';

/** One image with the logins that the kubelet would try, in its order; none is an anonymous pull. */
export type PullQuestion = {
  readonly reference: ImageReference;
  readonly credentials: readonly Credential[];
  readonly platforms: PlatformChoice;
};

/** What is known of the nodes (design, rule 2). */
export type NodeKnowledge = {
  /** Every variant that is possible; where they disagree nothing is proven. */
  readonly runtimes: readonly Runtime[];
  readonly plan: PlanEndpoints;
  /** `nodes.settings: complete`. */
  readonly isComplete: boolean;
  /** Nodes may hold credentials of their own for this image (`nodes.credentialProviders`). */
  readonly mayHaveCredentials: (reference: ImageReference) => boolean;
};

export type PredictorOptions = {
  readonly transport: Transport;
  readonly budget: Budget;
  readonly realms: RealmRules;
  readonly node: NodeKnowledge;
  /** The memory of digests for one login; `undefined` stands for anonymous. */
  readonly memoryFor: (credential: Credential | undefined) => GraphMemory;
  readonly contentCheck: ContentCheck | undefined;
  /** URLs that foreign layers name may be asked: by a user for himself. */
  readonly asksForeignUrls: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

export type PredictPull = (question: PullQuestion, course: Course, signal: AbortSignal) => Promise<Prediction>;

/** The kubelet would go through all; a Pod with more logins for one image than that is a mistake or an attack. */
const MAX_CREDENTIALS = 4;

/** Predicts pulls: every runtime variant, every login, every platform, with no request sent twice. */
export function createPredictor(options: PredictorOptions): PredictPull {
  return async (question, course, signal) => {
    const started = options.now();
    const work = startWork(options, question, course);
    const attempt = await acrossRuntimes(work, signal);
    const judged = await weigh(work, attempt, signal);
    return {
      ...judged,
      findings: [...work.findings(), ...expiringCertificates(options.transport, work.clients())],
      requests: work.requests(),
      millis: Math.round(options.now() - started),
      course: course.steps(),
    };
  };
}

type Work = {
  readonly options: PredictorOptions;
  readonly question: PullQuestion;
  readonly course: Course;
  readonly logins: readonly (Credential | undefined)[];
  readonly clientFor: (endpoint: Endpoint, login: Credential | undefined, style: ClientStyle, course: Course) => RegistryClient;
  readonly clients: () => readonly RegistryClient[];
  readonly requests: () => number;
  readonly countRequest: () => void;
  readonly addProblem: (finding: Finding) => void;
  readonly findings: () => readonly Finding[];
};

function startWork(options: PredictorOptions, question: PullQuestion, course: Course): Work {
  const clients = new Map<string, RegistryClient>();
  const findings = new Map<string, Finding>();
  let requests = 0;
  const countRequest = (): void => {
    requests += 1;
  };
  const logins: readonly (Credential | undefined)[] =
    question.credentials.length === 0 ? [undefined] : question.credentials.slice(0, MAX_CREDENTIALS);
  const { reference } = question;
  if (reference.digest === undefined && reference.tag !== undefined) {
    findings.set('tag', { kind: 'mutable-tag', tag: reference.tag });
  }
  return {
    options,
    question,
    course,
    logins,
    clientFor: (endpoint, login, style, inner) => {
      const key = `${logins.indexOf(login)} ${style} ${JSON.stringify(endpoint)}`;
      const known = clients.get(key);
      if (known !== undefined) return known;
      const takesLogin = endpoint.takesCredentials && login !== undefined && login.username !== '';
      const identity: Identity = takesLogin
        ? { by: 'pull-secret', secret: login.secret, key: login.key }
        : { by: 'anonymous' };
      const client = createRegistryClient({
        transport: options.transport,
        endpoint,
        login: takesLogin ? { username: login.username, password: login.password } : undefined,
        identity,
        style,
        budget: options.budget,
        realms: options.realms,
        countRequest,
        note: inner.note,
        now: options.now,
      });
      clients.set(key, client);
      return client;
    },
    clients: () => [...clients.values()],
    requests: () => requests,
    countRequest,
    addProblem: (finding) => findings.set(JSON.stringify(finding), finding),
    findings: () => [...findings.values()],
  };
}

/** Variants that judge alike are asked once; where the rest disagree, nothing is proven (design, rule 2). */
async function acrossRuntimes(work: Work, signal: AbortSignal): Promise<Attempt> {
  const variants = distinctVariants(work);
  const attempts: Attempt[] = [];
  for (const variant of variants) {
    const course = work.course.enter(`as ${formatRuntime(variant.runtime)}`);
    // each variant is answered from the requests of those before
    // oxlint-disable-next-line no-await-in-loop
    attempts.push(await acrossLogins(work, variant, course, signal));
  }
  const failed = attempts.filter((one) => !isSuccess(one.outcome));
  const [first, ...rest] = failed;
  if (first === undefined) return attempts.find((one) => one.outcome.kind === 'will-not-run') ?? attempts[0] ?? nothing();
  if (failed.length === attempts.length) {
    return { outcome: first.outcome, doubts: uniqueDoubts([first, ...rest].flatMap((one) => one.doubts)) };
  }
  return { outcome: first.outcome, doubts: uniqueDoubts([...first.doubts, 'node-runtime']) };
}

type Variant = { readonly runtime: Runtime; readonly traits: RuntimeTraits };

function distinctVariants(work: Work): readonly Variant[] {
  const seen = new Map<string, Variant>();
  for (const runtime of work.options.node.runtimes) {
    const traits = traitsOf(runtime);
    const plan = work.options.node.plan(work.question.reference, runtime);
    const key = `${traits.name} ${JSON.stringify(plan)}`;
    if (!seen.has(key)) seen.set(key, { runtime, traits });
  }
  return [...seen.values()];
}

/** A runtime is always declared; the type cannot say so. */
function nothing(): Attempt {
  return { outcome: { kind: 'not-checked', reason: 'internal', detail: 'no runtime is declared' }, doubts: [] };
}

/** The kubelet's loop: each login in turn until one works, no anonymous try after them (pull-parity C9). */
async function acrossLogins(work: Work, variant: Variant, course: Course, signal: AbortSignal): Promise<Attempt> {
  const failures: Attempt[] = [];
  for (const login of work.logins) {
    const inner =
      login === undefined
        ? course.enter('without credentials')
        : course.enter(`as pull secret "${login.secret}", key "${login.key}"`);
    // the next login is for when this one fails
    // oxlint-disable-next-line no-await-in-loop
    const attempt = await acrossPlatforms(work, variant, login, inner, signal);
    if (isSuccess(attempt.outcome)) return attempt;
    failures.push(attempt);
    if (signal.aborted) break;
  }
  const [first, ...rest] = failures;
  if (first === undefined) return nothing();
  const best = furthest([first, ...rest]);
  const isOpen = failures.some((one) => one !== best && isNoise(one.outcome));
  const doubts = failures.flatMap((one) => one.doubts);
  return { outcome: best.outcome, doubts: uniqueDoubts(isOpen ? [...doubts, 'not-every-endpoint'] : doubts) };
}

async function acrossPlatforms(
  work: Work,
  variant: Variant,
  login: Credential | undefined,
  course: Course,
  signal: AbortSignal,
): Promise<Attempt> {
  const { platforms } = work.question.platforms;
  const attempts: { readonly platform: Platform; readonly attempt: Attempt }[] = [];
  for (const platform of platforms) {
    const inner = platforms.length === 1 ? course : course.enter(`for ${formatPlatform(platform)}`);
    // later platforms are answered from what the first one fetched
    // oxlint-disable-next-line no-await-in-loop
    attempts.push({ platform, attempt: await onePull(work, variant, login, platform, inner, signal) });
  }
  return joinPlatforms(attempts);
}

function joinPlatforms(attempts: readonly { readonly platform: Platform; readonly attempt: Attempt }[]): Attempt {
  const failed = attempts.filter(({ attempt }) => !isSuccess(attempt.outcome)).map(({ attempt }) => attempt);
  const [first, ...rest] = failed;
  if (first === undefined) return joinSuccesses(attempts.map(({ attempt }) => attempt));
  const worst = furthest([first, ...rest]);
  const isPartial = failed.length < attempts.length;
  if (worst.outcome.kind !== 'platform-mismatch') {
    return isPartial ? { ...worst, doubts: uniqueDoubts([...worst.doubts, 'node-platforms']) } : worst;
  }
  const wanted = failed.flatMap(({ outcome }) => (outcome.kind === 'platform-mismatch' ? outcome.wanted : []));
  return {
    outcome: { ...worst.outcome, wanted, isPartial },
    doubts: uniqueDoubts(isPartial ? [...worst.doubts, 'node-platforms'] : worst.doubts),
  };
}

function joinSuccesses(attempts: readonly Attempt[]): Attempt {
  const [first] = attempts;
  if (first === undefined) return nothing();
  const oddOne = attempts.find((one) => one.outcome.kind === 'will-not-run');
  if (oddOne !== undefined) return oddOne;
  const platforms = attempts.flatMap(({ outcome }) => (outcome.kind === 'pullable' ? outcome.platforms : []));
  const sizes = attempts.flatMap(({ outcome }) => (outcome.kind === 'pullable' ? [outcome.compressedBytes ?? 0] : []));
  if (first.outcome.kind !== 'pullable') return first;
  const largest = Math.max(...sizes);
  return {
    outcome: { ...first.outcome, platforms, compressedBytes: largest === 0 ? undefined : largest },
    doubts: uniqueDoubts(attempts.flatMap((one) => one.doubts)),
  };
}

async function onePull(
  work: Work,
  variant: Variant,
  login: Credential | undefined,
  platform: Platform,
  course: Course,
  signal: AbortSignal,
): Promise<Attempt> {
  const { options, question } = work;
  if (signal.aborted) return { outcome: { kind: 'not-checked', reason: 'deadline', detail: 'no time was left' }, doubts: [] };
  const plan = options.node.plan(question.reference, variant.runtime);
  for (const problem of plan.problems) {
    const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
    work.addProblem({ kind: 'node-settings-problem', file: place, reason: problem.reason });
  }
  if (plan.kind === 'refused') {
    course.note(`the node's settings refuse: ${plan.reason}`);
    return { outcome: refusedBySettings(plan, question.reference), doubts: [] };
  }
  const context: PullContext = {
    reference: question.reference,
    platform,
    endpoints: plan.endpoints,
    clientFor: (endpoint) => work.clientFor(endpoint, login, variant.traits.style, course),
    mayLookInside: (endpoint) => options.budget.mayLookInside(endpoint.authority),
    memory: options.memoryFor(login),
    contentCheck: options.contentCheck,
    foreignLayers: options.asksForeignUrls ? askForeignUrls(options.transport, work.countRequest) : passOver,
    course,
  };
  return attemptPull(context, variant.traits, signal);
}

/** A CA file that is named and not there stops every pull from the host (pull-parity E3); the rest is for a person. */
function refusedBySettings(
  plan: { readonly reason: string; readonly file: string | undefined },
  reference: ImageReference,
): PullOutcome {
  if (plan.file === undefined || !/\.(?:toml|crt|cert|key|pem)$/u.test(plan.file)) {
    return { kind: 'not-checked', reason: 'node-settings', detail: plan.reason };
  }
  return {
    kind: 'tls-other',
    reason: plan.reason,
    evidence: {
      endpoint: `https://${reference.host}`,
      method: 'HEAD',
      path: `/v2/${reference.path}/manifests/${reference.digest ?? reference.tag ?? 'latest'}`,
      status: undefined,
      code: undefined,
      askedAs: { by: 'anonymous' },
      declaredBy: plan.file,
    },
  };
}

/** What the nodes may know and we do not keeps an outcome from being proof (design, rules 1 and 2). */
async function weigh(
  work: Work,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Pick<Prediction, 'outcome' | 'isConclusive' | 'doubts'>> {
  const { outcome } = attempt;
  const basis = CERTAINTY_BASIS[outcome.kind];
  if (basis === 'never') return { outcome, isConclusive: false, doubts: attempt.doubts };
  const more: Doubt[] = [];
  if (basis === 'settings' && !work.options.node.isComplete) more.push('node-settings');
  if (basis === 'platforms' && !work.question.platforms.isFixed) more.push('node-platforms');
  if (basis === 'credentials' && work.options.node.mayHaveCredentials(work.question.reference)) {
    const isProven = outcome.kind !== 'access-denied' && attempt.doubts.length === 0 && (await canReadRepository(work, signal));
    if (!isProven) more.push('node-credentials');
  }
  const doubts = uniqueDoubts([...attempt.doubts, ...more]);
  return { outcome, isConclusive: doubts.length === 0, doubts };
}

/** One more request on the way to a denial: who can list a repository's tags is not shown a 404 for want of rights. */
async function canReadRepository(work: Work, signal: AbortSignal): Promise<boolean> {
  const { options, question } = work;
  const [runtime] = options.node.runtimes;
  const login = work.logins.at(-1);
  if (runtime === undefined || signal.aborted) return false;
  const plan = options.node.plan(question.reference, runtime);
  if (plan.kind === 'refused') return false;
  const upstream = plan.endpoints.findLast((endpoint) => endpoint.role === 'upstream') ?? plan.endpoints.at(-1);
  if (upstream === undefined) return false;
  const course = work.course.enter('can the same login read the repository?');
  const client = work.clientFor(upstream, login, traitsOf(runtime).style, course);
  const asked = await client.ask(
    { method: 'GET', resource: { kind: 'tags', limit: 1 }, maxBytes: 64 * 1024, retriesServerErrors: false },
    signal,
  );
  return asked.ok && asked.value.status === 200;
}
