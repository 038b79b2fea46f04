import { isTag } from '../image/reference.ts';
import type { Answer, Ask, RegistryClient } from '../registry/client.ts';
import { isSpellingOf } from './similar-tags.ts';

/** What the tags of one repository tell, as each identity is told. Nothing is asked twice. */
export type TagLists = {
  /** Whether that identity may list them: one tag is asked for, and only the status counts. */
  readonly mayList: (client: RegistryClient, signal: AbortSignal) => Promise<boolean>;
  /** Tags of the repository, as many as are cheap to list; none where listing is refused. In the registry's order. */
  readonly tagsNear: (wanted: string, client: RegistryClient, signal: AbortSignal) => Promise<readonly string[]>;
};

/** Below what registries take at most for `n`: distribution refuses more than 1,000. */
const PAGE_TAGS = 500;
const MAX_PAGES = 2;
const MAX_PAGE_BYTES = 128 * 1024;
/** Some registries pay no heed to `n=1`. */
const MAX_PROBE_BYTES = 64 * 1024;

/** For one prediction: every client is of its repository. */
export function createTagLists(): TagLists {
  const probes = new Map<RegistryClient, Answer | undefined>();
  return {
    mayList: async (client, signal) => {
      const answer = await ask(client, { limit: 1 }, MAX_PROBE_BYTES, signal);
      probes.set(client, answer);
      return answer?.status === 200;
    },
    tagsNear: async (wanted, client, signal) => {
      const probe = probes.get(client);
      if (probes.has(client) && probe?.status !== 200) return [];
      // whoever was asked for one and gave many gave them all
      const known = probe === undefined || hasMore(probe) ? [] : tagsIn(probe);
      return known.length > 1 ? known : listSome(wanted, client, signal);
    },
  };
}

async function listSome(wanted: string, client: RegistryClient, signal: AbortSignal): Promise<readonly string[]> {
  const tags: string[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const last = tags.at(-1);
    // each page begins where the one before ended
    // oxlint-disable-next-line no-await-in-loop
    const answer = await ask(
      client,
      { limit: PAGE_TAGS, ...(last === undefined ? {} : { last }) },
      MAX_PAGE_BYTES,
      signal,
    );
    if (answer?.status !== 200) break;
    const found = tagsIn(answer);
    tags.push(...found);
    if (found.length === 0 || !hasMore(answer) || found.some((tag) => isSpellingOf(wanted, tag))) break;
  }
  return tags;
}

async function ask(
  client: RegistryClient,
  page: { readonly limit: number; readonly last?: string },
  maxBytes: number,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const question: Ask = { method: 'GET', resource: { kind: 'tags', ...page }, maxBytes, retriesServerErrors: false };
  const asked = await client.ask(question, signal);
  return asked.ok ? asked.value : undefined;
}

/** The next page is asked for by its last tag (OCI distribution specification, "Listing Tags"), not where a link leads. */
function hasMore(answer: Answer): boolean {
  return /rel="?next"?/u.test(answer.header('link') ?? '');
}

/** Anything may stand there: only what can be a tag counts. */
function tagsIn({ bytes, isWhole }: Answer): readonly string[] {
  if (!isWhole) return [];
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return [];
  }
  if (typeof value !== 'object' || value === null || !('tags' in value) || !Array.isArray(value.tags)) return [];
  const tags: readonly unknown[] = value.tags;
  return tags.slice(0, MAX_TAGS).flatMap((tag) => (typeof tag === 'string' && isTag(tag) ? tag : []));
}

/** Whatever the registry makes of `n`: comparing takes time too. */
const MAX_TAGS = 4096;
