import { err, ok, type Result } from '../image/result.ts';
import type { NetworkFailure } from './failure.ts';
import type { WireHeaders, WireReply } from './wire.ts';

/** Where an answer came from in the end. */
export type Arrival = { readonly reply: WireReply; readonly at: URL };

export type RedirectFailure =
  | { readonly kind: 'nowhere'; readonly status: number }
  | { readonly kind: 'too-many'; readonly status: number }
  | { readonly kind: 'network'; readonly failure: NetworkFailure; readonly at: URL };

/** Asks a URL that a redirect of that status names. `isOwn` says that it is of the origin that was asked first. */
export type Hop = (at: URL, isOwn: boolean, status: number) => Promise<Result<WireReply, NetworkFailure>>;

/** Go's net/http sends that many and then gives up (pull-parity D15). */
export const MAX_REQUESTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Go sends a space in a query as it is, and no server takes that for a request. */
const UNSENDABLE = /\?[^#]* /u;
const MAX_LOCATION = 16 * 1024;

export const isRedirect = (status: number): boolean => REDIRECTS.has(status);

/** Goes where the server sends us until somebody answers. */
export async function followRedirects(first: Arrival, hop: Hop): Promise<Result<Arrival, RedirectFailure>> {
  let { reply, at } = first;
  for (let requests = 1; isRedirect(reply.status); requests += 1) {
    const { status } = reply;
    const location = reply.header('location') ?? '';
    // an answer like any other, to Go too
    if (location === '') break;
    const next = parseLocation(location, at);
    reply.drop();
    if (next === undefined) return err({ kind: 'nowhere', status });
    if (requests >= MAX_REQUESTS) return err({ kind: 'too-many', status });
    at = next;
    // each address comes from the answer before
    // oxlint-disable-next-line no-await-in-loop
    const sent = await hop(at, at.origin === first.at.origin, status);
    if (!sent.ok) return err({ kind: 'network', failure: sent.error, at });
    reply = sent.value;
  }
  return ok({ reply, at });
}

function parseLocation(location: string, from: URL): URL | undefined {
  if (location.length > MAX_LOCATION || UNSENDABLE.test(location)) return undefined;
  const url = URL.parse(location, from.href);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined;
}

/** What may go along to another origin: no login, and none of the headers that the settings declare for an endpoint. */
export function headersElsewhere(headers: WireHeaders, declared: WireHeaders): WireHeaders {
  const own = new Set(['authorization', ...Object.keys(declared).map((name) => name.toLowerCase())]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name.toLowerCase())));
}
