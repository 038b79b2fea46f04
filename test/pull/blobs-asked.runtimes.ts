import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { cut, raw, redirect, reply, status, withHeaders, withoutHeader } from '../support/bend.ts';
import { createAuthority, expiredDates } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, predict } from './rig.ts';

/** How a blob is asked for differs by family; versions are here for the retries and the sizes that they differ in. */
const RUNTIMES = [
  'containerd@1.7',
  'containerd@2.1/transfer',
  'containerd@2.4/local',
  'docker@20.10/graph',
  'docker@28/graph',
  'docker@29/containerd',
  'crio@1.34',
] as const;

const XML = { 'content-type': 'application/xml' };
const ACCESS_DENIED = reply(403, XML, '<Error><Code>AccessDenied</Code></Error>');
const NO_SUCH_KEY = reply(404, XML, '<Error><Code>NoSuchKey</Code></Error>');
const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>Sign in</html>');
const CHUNKED = withHeaders({ 'transfer-encoding': 'chunked' });

const store = createImageStore();
const image = store.repository('app').addImage({ layers: [{ a: 'one' }, { b: 'two' }], tags: ['1'] });
const [layer = image.config] = image.layers;

let registry: ScriptedRegistry;
let elsewhere: ScriptedRegistry;
let expired: ScriptedRegistry;
let transport: Transport;
before(async () => {
  const leaf = createAuthority().issue({ addresses: ['127.0.0.1'], dates: expiredDates() });
  registry = await startScriptedRegistry({ store });
  elsewhere = await startScriptedRegistry({ store });
  expired = await startScriptedRegistry({ store, tls: { cert: leaf.chain, key: leaf.key } });
  transport = createWire();
});
after(() => Promise.all([transport.close(), registry.close(), elsewhere.close(), expired.close()]));
beforeEach(() => {
  for (const each of [registry, elsewhere, expired]) each.straighten();
});

/** To the same path at another origin, as registries send to their object store. */
const to =
  (origin: () => string): Bend =>
  (question, answer) =>
    redirect(`${origin()}${question.url.pathname}?signature=s`)(question, answer);
const toElsewhere = to(() => elsewhere.origin);

/** What is said of one layer by HEAD, and by GET. */
type Manners = {
  readonly head?: Bend;
  readonly get?: Bend;
  readonly headElsewhere?: Bend;
  readonly getElsewhere?: Bend;
};

/** The outcome's kind, with `?` where nothing is proven. */
type Row = Manners & { readonly name: string; readonly expected: string };

/** No well-kept registry is called damaged for its manners: GET brings the layer, and nodes send only GET (D12, I6). */
const SOUND: readonly Row[] = [
  { name: 'HEAD 404, as a proxy cache says of what it has not fetched', head: status(404, 'BLOB_UNKNOWN') },
  { name: 'HEAD 404 without an error body', head: reply(404, {}) },
  { name: 'HEAD 403, as ECR Public says', head: status(403, 'DENIED') },
  { name: 'HEAD 401 without a challenge', head: status(401, 'UNAUTHORIZED') },
  { name: 'HEAD 400', head: status(400, 'UNSUPPORTED') },
  { name: 'HEAD 405', head: status(405, 'UNSUPPORTED') },
  { name: 'HEAD 429', head: status(429, 'TOOMANYREQUESTS') },
  { name: 'HEAD 500', head: status(500, 'UNKNOWN') },
  { name: 'HEAD 501', head: status(501, 'UNSUPPORTED') },
  { name: 'HEAD that breaks off', head: cut('start') },
  { name: 'HEAD answered in no HTTP', head: raw('nothing\r\n\r\n') },
  { name: 'HEAD 204', head: reply(204, {}) },
  { name: 'HEAD with a login page', head: PAGE },
  { name: 'HEAD with a length of 0', head: withHeaders({ 'content-length': '0' }) },
  { name: 'HEAD with another length', head: withHeaders({ 'content-length': '123456' }) },
  { name: 'HEAD with a length that is no number', head: withHeaders({ 'content-length': '0', 'x-length': 'many' }) },
  { name: 'HEAD without a length', head: CHUNKED },
  { name: 'HEAD and GET without a length', head: CHUNKED, get: CHUNKED },
  { name: 'another Docker-Content-Digest', head: withHeaders({ 'docker-content-digest': `sha256:${'0'.repeat(64)}` }) },
  { name: 'no Accept-Ranges', head: withoutHeader('accept-ranges'), get: withoutHeader('accept-ranges') },
  { name: 'a login page as the type of sound bytes', get: withHeaders({ 'content-type': 'text/html' }) },
  { name: 'a redirect to a store', head: toElsewhere, get: toElsewhere },
  { name: 'a presigned URL, HEAD 403', head: toElsewhere, get: toElsewhere, headElsewhere: ACCESS_DENIED },
  { name: 'a presigned URL, HEAD 404', head: toElsewhere, get: toElsewhere, headElsewhere: NO_SUCH_KEY },
  { name: 'a presigned URL, HEAD 401', head: toElsewhere, get: toElsewhere, headElsewhere: reply(401, XML) },
  { name: 'a store that breaks off HEAD', head: toElsewhere, get: toElsewhere, headElsewhere: cut('start') },
  { name: 'a redirect of GET alone', get: toElsewhere },
  { name: 'a redirect of HEAD to where nobody listens', head: redirect('http://127.0.0.1:1/x') },
  { name: 'a redirect of HEAD to a name that does not exist', head: redirect('http://nowhere.invalid/x') },
  { name: 'a redirect of HEAD to an expired certificate', head: to(() => expired.origin) },
  {
    name: 'a redirect to an expired certificate, as little verified as the registry itself',
    head: to(() => expired.origin),
    get: to(() => expired.origin),
  },
].map((row) => ({ ...row, expected: 'pullable' }));

const FAILING: readonly Row[] = [
  {
    name: '404 with an error body of a registry',
    head: status(404, 'BLOB_UNKNOWN'),
    get: status(404, 'BLOB_UNKNOWN'),
    expected: 'damaged',
  },
  {
    name: '404 with a page',
    head: reply(404, {}),
    get: reply(404, { 'content-type': 'text/html' }, '<html>'),
    expected: 'damaged?',
  },
  {
    name: '403 with an error body',
    head: status(403, 'DENIED'),
    get: status(403, 'DENIED'),
    expected: 'access-denied',
  },
  { name: '403 with a page', head: ACCESS_DENIED, get: ACCESS_DENIED, expected: 'access-denied?' },
  { name: '429', head: status(429, 'TOOMANYREQUESTS'), get: status(429, 'TOOMANYREQUESTS'), expected: 'rate-limited?' },
  ...[500, 502, 503, 504].map((code) => ({
    name: String(code),
    head: status(code, 'UNKNOWN'),
    get: status(code, 'UNKNOWN'),
    expected: 'registry-error?',
  })),
  {
    name: 'a circle of redirects',
    head: redirect('/around'),
    get: redirect(({ url }) => url.pathname),
    expected: 'registry-error?',
  },
  { name: 'a redirect to nowhere', head: reply(307, {}), get: reply(307, {}), expected: 'registry-error?' },
  {
    name: 'a redirect to where nobody listens',
    head: redirect('http://127.0.0.1:1/x'),
    get: redirect('http://127.0.0.1:1/x'),
    expected: 'unreachable?',
  },
  {
    name: 'a redirect to a name that does not exist',
    head: redirect('http://nowhere.invalid/x'),
    get: redirect('http://nowhere.invalid/x'),
    expected: 'unreachable?',
  },
  {
    name: 'a store that refuses',
    head: toElsewhere,
    get: toElsewhere,
    headElsewhere: ACCESS_DENIED,
    getElsewhere: ACCESS_DENIED,
    expected: 'access-denied?',
  },
  {
    name: 'a store that has it not',
    head: toElsewhere,
    get: toElsewhere,
    headElsewhere: NO_SUCH_KEY,
    getElsewhere: NO_SUCH_KEY,
    expected: 'damaged',
  },
  {
    name: 'a redirect to another registry that wants a login, where containerd would log in (D15)',
    head: toElsewhere,
    get: toElsewhere,
    headElsewhere: status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' }),
    getElsewhere: status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' }),
    expected: 'access-denied?',
  },
  { name: 'GET that breaks off before its header', head: cut('start'), get: cut('start'), expected: 'unreachable?' },
  {
    name: 'GET of another length',
    head: withHeaders({ 'content-length': '7' }),
    get: reply(200, {}, 'altered'),
    expected: 'damaged',
  },
];

describe('a layer at registries of every manner', () => {
  for (const row of [...SOUND, ...FAILING]) {
    it(`${row.expected.replace('?', ', not proven')}: ${row.name}`, async () => {
      for (const [method, at, bend] of [
        ['HEAD', registry, row.head],
        ['GET', registry, row.get],
        ['HEAD', elsewhere, row.headElsewhere],
        ['GET', elsewhere, row.getElsewhere],
      ] as const) {
        if (bend !== undefined) at.bend({ kind: 'blob', method, reference: layer.digest }, bend);
      }
      const host = `reg.test:${registry.port}`;
      const answers = await Promise.all(
        RUNTIMES.map(async (runtime) => {
          const options = { transport, runtime, insecure: [host], setup: hostsFile(host, []) };
          const { outcome, isConclusive } = await predict(`${host}/app:1`, options);
          return [runtime, `${outcome.kind}${isConclusive ? '' : '?'}`] as const;
        }),
      );

      assert.deepEqual(
        Object.fromEntries(answers),
        Object.fromEntries(RUNTIMES.map((runtime) => [runtime, row.expected])),
      );
    });
  }
});

it('proves damage by the one layer of two that the registry itself says it has not', async () => {
  const [first, second] = image.layers;
  registry.bend({ kind: 'blob', reference: first?.digest ?? '' }, reply(404, {}, '<html>'));
  registry.bend({ kind: 'blob', reference: second?.digest ?? '' }, status(404, 'BLOB_UNKNOWN'));
  const host = `reg.test:${registry.port}`;

  const { outcome, isConclusive } = await predict(`${host}/app:1`, { transport, setup: hostsFile(host, []) });

  assert.ok(outcome.kind === 'damaged' && outcome.digest === second?.digest && isConclusive);
});

describe('a name of its own for another registry, by redirects', () => {
  const toElsewhereWhole = { path: /^\/v2\// };
  const wantsLogin = status(401, 'UNAUTHORIZED', {
    'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token",service="elsewhere"',
  });
  const answers = (): Promise<readonly string[]> => {
    const host = `reg.test:${registry.port}`;
    return Promise.all(
      RUNTIMES.map(async (runtime) => {
        const options = { transport, runtime, insecure: [host], setup: hostsFile(host, []) };
        const { outcome, isConclusive } = await predict(`${host}/app:1`, options);
        return `${outcome.kind}${isConclusive ? '' : '?'}`;
      }),
    );
  };

  it('is pulled from where that registry lets everybody in', async () => {
    registry.bend(toElsewhereWhole, toElsewhere);

    assert.deepEqual(
      await answers(),
      RUNTIMES.map(() => 'pullable'),
    );
  });

  it('is never proven to refuse where that registry wants a login: runtimes log in there (D15)', async () => {
    registry.bend(toElsewhereWhole, toElsewhere);
    elsewhere.bend(toElsewhereWhole, wantsLogin);

    const denied = 'access-denied?';
    const unknown = 'not-checked?';
    assert.deepEqual(await answers(), [denied, denied, denied, unknown, unknown, denied, unknown]);
  });
});

describe('a layer whose first GET is refused', () => {
  for (const [runtime, found] of [
    ['docker@20.10/graph', 'pullable'],
    ['docker@28/graph', 'pullable'],
    ['docker@29/containerd', 'damaged'],
    ['containerd@2.1/transfer', 'damaged'],
    ['crio@1.34', 'damaged'],
  ] as const) {
    it(`is ${found} to ${runtime} where the second brings it`, async () => {
      const once = { kind: 'blob', reference: layer.digest } as const;
      registry.bend({ ...once, method: 'HEAD' }, status(404, 'BLOB_UNKNOWN'));
      registry.bend({ ...once, method: 'GET' }, status(404, 'BLOB_UNKNOWN'), { times: 1 });

      const setup = hostsFile(registry.host, []);
      const insecure = [registry.host];
      const { outcome } = await predict(`${registry.host}/app:1`, { transport, runtime, setup, insecure });

      assert.equal(outcome.kind, found);
    });
  }

  it('is asked for no more than twice', async () => {
    registry.log.clear();
    registry.bend({ kind: 'blob', reference: layer.digest }, status(404, 'BLOB_UNKNOWN'));

    const options = { transport, runtime: 'docker@28/graph', insecure: [registry.host] };
    const { outcome, isConclusive } = await predict(`${registry.host}/app:1`, options);

    assert.deepEqual([outcome.kind, isConclusive], ['damaged', true]);
    const gets = registry.log.requests.filter((one) => one.method === 'GET' && one.path.endsWith(layer.digest));
    assert.equal(gets.length, 2);
  });
});
