import { parseDigest } from '../image/digest.ts';
import { errorAnswer, jsonAnswer, type Answer } from './answer.ts';
import type { ImageStore } from './image-store.ts';
import { serveAnswers, type LoopbackServer, type ServerOptions } from './loopback-server.ts';
import type { Question } from './question.ts';

/** Turns the answer of a well-behaved registry into what this one says. */
export type Bend = (question: Question, answer: Answer) => Answer | Promise<Answer>;

export type RegistryOptions = ServerOptions & {
  readonly store: ImageStore;
  /** Applied in order, each to the answer of the one before. */
  readonly bends?: readonly Bend[];
};

/** Serves the content of a store as a registry does, on 127.0.0.1 and a port that is free. */
export async function startRegistry(options: RegistryOptions): Promise<LoopbackServer> {
  const { store, bends = [] } = options;
  return await serveAnswers(options, async (question) => {
    let answer = answerFrom(store, question);
    // each bend builds on the one before it
    // oxlint-disable-next-line no-await-in-loop
    for (const bend of bends) {
      const bent = bend(question, answer);
      answer = bent instanceof Promise ? await bent : bent;
    }
    return answer;
  });
}

/** Lets only these users in, by Basic authentication (RFC 7617). */
export function basicAuth(passwords: Readonly<Record<string, string>>): Bend {
  const accepted = new Set(
    Object.entries(passwords).map(([user, password]) => Buffer.from(`${user}:${password}`).toString('base64')),
  );
  return ({ headers }, answer) => {
    const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() === 'basic' && accepted.has(credentials)) return answer;
    return errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="registry"' });
  };
}

/** What a well-behaved registry with this content says. */
function answerFrom(store: ImageStore, { method, url, headers, route }: Question): Answer {
  if (method !== 'GET' && method !== 'HEAD') return errorAnswer(405, 'UNSUPPORTED', { allow: 'GET, HEAD' });
  if (route.kind === 'base') return jsonAnswer(200, {}, { 'docker-distribution-api-version': 'registry/2.0' });
  if (route.kind === 'other')
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('404') };
  const { repository } = route;
  const tags = store.listTags(repository);
  if (tags === undefined) return errorAnswer(404, 'NAME_UNKNOWN');
  if (route.kind === 'tags') return tagsAnswer(repository, tags, url);
  const { reference } = route;
  if (reference.includes(':') && !parseDigest(reference).ok) return errorAnswer(400, 'DIGEST_INVALID');
  if (route.kind === 'blob') {
    const blob = store.findBlob(repository, reference);
    return blob === undefined ? errorAnswer(404, 'BLOB_UNKNOWN') : blobAnswer(blob, reference, headers.range);
  }
  const manifest = store.findManifest(repository, reference);
  if (manifest === undefined) return errorAnswer(404, 'MANIFEST_UNKNOWN');
  const { digest, mediaType, body } = manifest;
  return { status: 200, headers: { 'content-type': mediaType, 'docker-content-digest': digest }, body };
}

function tagsAnswer(name: string, all: readonly string[], url: URL): Answer {
  const last = url.searchParams.get('last') ?? '';
  const limit = Number(url.searchParams.get('n') ?? all.length);
  if (!Number.isSafeInteger(limit) || limit < 0) return errorAnswer(400, 'PAGINATION_NUMBER_INVALID');
  const rest = all.filter((tag) => tag > last);
  const tags = rest.slice(0, limit);
  const next = new URLSearchParams({ n: String(limit), last: tags.at(-1) ?? last });
  const link = rest.length > limit && limit > 0 ? { link: `<${url.pathname}?${next.toString()}>; rel="next"` } : {};
  return jsonAnswer(200, { name, tags }, link);
}

function blobAnswer(blob: Uint8Array, digest: string, range: string | undefined): Answer {
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
  };
  const groups = /^bytes=(?<from>\d*)-(?<to>\d*)$/u.exec(range ?? '')?.groups;
  const [fromText = '', toText = ''] = [groups?.['from'], groups?.['to']];
  // a range that is not understood is left out of account (RFC 9110, 14.2)
  if (fromText === '' && toText === '') return { status: 200, headers, body: blob };
  const from = fromText === '' ? Math.max(0, blob.length - Number(toText)) : Number(fromText);
  const to = fromText === '' || toText === '' ? blob.length - 1 : Math.min(Number(toText), blob.length - 1);
  if (from > to) return errorAnswer(416, 'RANGE_INVALID', { 'content-range': `bytes */${blob.length}` });
  const contentRange = { 'content-range': `bytes ${from}-${to}/${blob.length}` };
  return { status: 206, headers: { ...headers, ...contentRange }, body: blob.subarray(from, to + 1) };
}
