/** How much a registry may still be asked (design, rule 9). */
export type Budget = {
  /** Whether a request that is not needed for a verdict of existence may be sent. */
  readonly mayLookInside: (authority: string) => boolean;
  /** Milliseconds for which a 429 keeps the registry from being asked at all; 0 for none. */
  readonly restMs: (authority: string) => number;
  readonly noteRequest: (authority: string) => void;
  readonly noteAnswer: (authority: string, status: number, header: (name: string) => string | undefined) => void;
};

/** For `check` and `demo`: a user asks for himself, only a 429 counts. */
export const unlimited: Budget = {
  mayLookInside: () => true,
  restMs: () => 0,
  noteRequest: () => undefined,
  noteAnswer: () => undefined,
};

const MINUTE_MS = 60_000;
const MAX_HOSTS = 1024;
/** Whatever Retry-After asks for: a verdict is needed again before a day is over. */
const MAX_REST_MS = 60_000;
const DEFAULT_REST_MS = 10_000;

type Account = { windowStartedMs: number; spent: number; restUntilMs: number; quotaSpentUntilMs: number };

export type BudgetOptions = {
  readonly requestsPerMinute: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, for a Retry-After that names a date. Default `Date.now`. */
  readonly wallNow?: () => number;
};

/**
 * Counts requests by registry in windows of a minute and heeds `ratelimit-limit` and `ratelimit-remaining`: at least half
 * of what the registry grants is left to the nodes.
 */
export function createBudget(options: BudgetOptions): Budget {
  const { wallNow = Date.now } = options;
  const accounts = new Map<string, Account>();
  const accountOf = (authority: string): Account => {
    const now = options.now();
    const known = accounts.get(authority);
    if (known !== undefined && now - known.windowStartedMs < MINUTE_MS) return known;
    const fresh: Account = {
      windowStartedMs: now,
      spent: 0,
      restUntilMs: known?.restUntilMs ?? 0,
      quotaSpentUntilMs: known?.quotaSpentUntilMs ?? 0,
    };
    accounts.delete(authority);
    accounts.set(authority, fresh);
    const oldest = accounts.size > MAX_HOSTS ? accounts.keys().next().value : undefined;
    if (oldest !== undefined) accounts.delete(oldest);
    return fresh;
  };
  return {
    mayLookInside: (authority) => {
      const account = accountOf(authority);
      return account.spent < options.requestsPerMinute() && options.now() >= account.quotaSpentUntilMs;
    },
    restMs: (authority) => Math.max(0, accountOf(authority).restUntilMs - options.now()),
    noteRequest: (authority) => {
      accountOf(authority).spent += 1;
    },
    noteAnswer: (authority, status, header) => {
      const account = accountOf(authority);
      if (status === 429) {
        const asked = retryAfterSeconds(header('retry-after'), wallNow());
        const restMs = asked === undefined ? DEFAULT_REST_MS : Math.min(MAX_REST_MS, asked * 1000);
        account.restUntilMs = Math.max(account.restUntilMs, options.now() + restMs);
      }
      const limit = leadingNumber(header('ratelimit-limit'));
      const remaining = leadingNumber(header('ratelimit-remaining'));
      if (limit !== undefined && remaining !== undefined && remaining * 2 < limit) {
        account.quotaSpentUntilMs = options.now() + MINUTE_MS;
      }
    },
  };
}

/** Docker Hub writes `100;w=21600`. */
function leadingNumber(text: string | undefined): number | undefined {
  const digits = /^\s*(?<digits>\d{1,12})/u.exec(text ?? '')?.groups?.['digits'];
  return digits === undefined ? undefined : Number(digits);
}

/** Seconds, from either form of Retry-After (RFC 9110 section 10.2.3); `undefined` for what is neither. */
export function retryAfterSeconds(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined || text.length > 64) return undefined;
  if (/^\d{1,9}$/u.test(text)) return Number(text);
  const date = /^[A-Z][a-z]{2}, /u.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}
