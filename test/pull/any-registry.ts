import * as fc from 'fast-check';
import { errorAnswer, type Answer } from '../../webhook/demo/answer.ts';
import type { Question } from '../../webhook/demo/question.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { assertNever } from '../../webhook/image/result.ts';

/** What a registry does with one sort of request. */
export const MANNERS = [
  'well',
  'basic',
  'token',
  'strange-token',
  'no-realm',
  'unauthorized',
  'denied',
  'absent',
  'absent-page',
  'page',
  'limited',
  'broken',
  'unavailable',
  'away',
  'around',
  'cut',
  'garbage',
  'other-bytes',
  'no-type',
  'flood',
  'flood-refusal',
  'silent',
] as const;
export type Manner = (typeof MANNERS)[number];

/** More than anybody reads of anything. */
export const FLOOD = Buffer.alloc(64 * 1024 * 1024, '[');

const SORTS = ['base', 'tags', 'manifest HEAD', 'manifest GET', 'config GET', 'layer HEAD', 'layer GET'] as const;
export type Sort = (typeof SORTS)[number];

export type Registry = Readonly<Record<Sort, Manner>>;

/** Mostly well, so that predictions get far; silence is dear, as each takes the whole deadline. */
const manner = fc.oneof(
  { arbitrary: fc.constant<Manner>('well'), weight: 20 },
  { arbitrary: fc.constantFrom<Manner>('token', 'basic'), weight: 6 },
  { arbitrary: fc.constantFrom(...MANNERS.filter((one) => one !== 'silent')), weight: 10 },
);
/** HEAD is as GET, or refused where GET is not: a registry that shows by HEAD what it has not is nobody's. */
const refusal = fc.constantFrom<Manner | 'alike'>(
  'alike',
  'alike',
  'alike',
  'denied',
  'absent',
  'unauthorized',
  'broken',
);

export const anyRegistry: fc.Arbitrary<Registry> = fc
  .tuple(manner, manner, manner, manner, manner, refusal, refusal)
  .map(([base, tags, manifest, config, layer, manifestHead, layerHead]) => ({
    base,
    tags,
    'manifest GET': manifest,
    'manifest HEAD': manifestHead === 'alike' ? manifest : manifestHead,
    'config GET': config,
    'layer GET': layer,
    'layer HEAD': layerHead === 'alike' ? layer : layerHead,
  }));

export const anySort: fc.Arbitrary<Sort> = fc.constantFrom(...SORTS);
/** A failure of the moment, as it may come over any registry. */
export const anyFault: fc.Arbitrary<Manner> = fc.oneof(
  { arbitrary: fc.constantFrom<Manner>('limited', 'broken', 'unavailable'), weight: 12 },
  { arbitrary: fc.constant<Manner>('silent'), weight: 1 },
);

export type Places = {
  /** Content that is a config; every other blob is a layer. */
  readonly configs: ReadonlySet<string>;
  /** Where redirects and strange realms lead. */
  readonly elsewhere: string;
  readonly realm: string;
  /** Whether a login or a token is good. */
  readonly accepts: (authorization: string) => boolean;
};

/** Bends a well-behaved registry into this one. */
export function bendTo(registry: () => Registry, places: Places): Bend {
  return (question, answer) => {
    const sort = sortOf(question, places.configs);
    return sort === undefined ? answer : answerTo(registry()[sort], question, answer, places);
  };
}

function sortOf({ route, method }: Question, configs: ReadonlySet<string>): Sort | undefined {
  if (route.kind === 'other') return undefined;
  if (route.kind === 'base' || route.kind === 'tags') return route.kind;
  const verb = method === 'HEAD' ? 'HEAD' : 'GET';
  if (route.kind === 'manifest') return `manifest ${verb}`;
  return configs.has(route.reference) ? 'config GET' : `layer ${verb}`;
}

function answerTo(manner: Manner, question: Question, answer: Answer, places: Places): Answer {
  const { authorization = '' } = question.headers;
  const mayIn = places.accepts(authorization);
  const challenge = (text: string): Answer => errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': text });
  switch (manner) {
    case 'well':
      return answer;
    case 'basic':
      return mayIn ? answer : challenge('Basic realm="registry"');
    case 'token':
      return mayIn ? answer : challenge(`Bearer realm="${places.realm}",service="test"`);
    case 'strange-token':
      return mayIn ? answer : challenge(`Bearer realm="${places.elsewhere}/token",scope="repository:other:push,pull"`);
    case 'no-realm':
      return challenge('Bearer service="test", Basic');
    case 'unauthorized':
      return errorAnswer(401, 'UNAUTHORIZED');
    case 'denied':
      return errorAnswer(403, 'DENIED');
    case 'absent':
      return errorAnswer(404, 'MANIFEST_UNKNOWN');
    case 'absent-page':
      return { status: 404, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') };
    case 'page':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') };
    case 'limited':
      return errorAnswer(429, 'TOOMANYREQUESTS', { 'retry-after': '1' });
    case 'broken':
      return errorAnswer(500, 'UNKNOWN');
    case 'unavailable':
      return errorAnswer(503, 'UNAVAILABLE');
    case 'away':
      return {
        status: 307,
        headers: { location: `${places.elsewhere}${question.url.pathname}` },
        body: Buffer.alloc(0),
      };
    case 'around':
      return { status: 302, headers: { location: question.url.pathname }, body: Buffer.alloc(0) };
    case 'cut':
      return { ...answer, cutAt: question.method === 'HEAD' ? 'start' : 5 };
    case 'garbage':
      return { ...answer, raw: Buffer.from('\0\u0001garbage\r\n') };
    case 'other-bytes':
      return { ...answer, body: Buffer.from(`{"schemaVersion":2,"other":${answer.body.length}}`) };
    case 'no-type':
      return { ...answer, headers: { ...answer.headers, 'content-type': '' } };
    case 'flood':
      return { status: 200, headers: withoutLength(answer), body: FLOOD };
    case 'flood-refusal':
      return { status: 404, headers: { 'content-type': 'application/json' }, body: FLOOD };
    case 'silent':
      return { ...answer, delayMs: Infinity };
    default:
      return assertNever(manner);
  }
}

/** The length is the flood's own. */
function withoutLength({ headers }: Answer): Answer['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length'));
}
