import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import request from 'supertest';
import { MAX_REVIEW_BYTES } from '../../webhook/http/app.ts';
import { podOf, reviewOf, rig, TAG_MISSING } from '../admission/builders.ts';
import { isForgotten } from '../support/collect-garbage.ts';
import { admitAll, appRig, talk } from './rig.ts';

const REVIEW = JSON.stringify(reviewOf(podOf('app:1')));
const NESTED = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

type Body = { readonly body: string | Buffer; readonly headers?: Readonly<Record<string, string>> };

async function post({ body, headers = {} }: Body, { app } = appRig()): Promise<request.Response> {
  const test = request(app)
    .post('/validate')
    .set({ 'Content-Type': 'application/json', ...headers });
  // supertest encodes what it takes for JSON itself: bytes go out as they are
  return test.serialize((value) => value as unknown as string).send(body);
}

describe('POST /validate', () => {
  it('answers a review with 200, its uid and the reviewer’s word', async () => {
    const { review } = rig({ predict: () => Promise.resolve(TAG_MISSING) });

    const response = await post({ body: JSON.stringify(reviewOf(podOf('gone:1'), { uid: 'u-7' })) }, appRig(review));

    assert.equal(response.status, 200);
    assert.match(response.headers['content-type'] ?? '', /^application\/json/u);
    const body = response.body as {
      readonly kind: string;
      readonly apiVersion: string;
      readonly response: Record<string, unknown>;
    };
    assert.deepEqual([body.kind, body.apiVersion], ['AdmissionReview', 'admission.k8s.io/v1']);
    assert.deepEqual([body.response['uid'], body.response['allowed']], ['u-7', false]);
    assert.equal('patch' in body.response, false);
  });

  const REFUSED: readonly (readonly [what: string, status: number, body: Body])[] = [
    ['an empty body', 400, { body: '' }],
    ['what is no JSON', 400, { body: 'uid=1' }],
    ['a truncated review', 400, { body: REVIEW.slice(0, -1) }],
    ['UTF-16', 400, { body: Buffer.from(REVIEW, 'utf16le') }],
    ['a byte order mark', 400, { body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(REVIEW)]) }],
    [
      'invalid UTF-8',
      400,
      { body: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]) },
    ],
    ['nesting of 200,000', 400, { body: NESTED(200_000) }],
    ['nesting of 257', 400, { body: NESTED(257) }],
    ['two hundred thousand values', 413, { body: `[${'0,'.repeat(200_000)}0]` }],
    ['ten thousand times fifteen lists', 413, { body: `[${`${NESTED(15)},`.repeat(10_000)}0]` }],
    ['JSON that is no object', 400, { body: '"AdmissionReview"' }],
    ['null', 400, { body: 'null' }],
    ['v1beta1', 400, { body: REVIEW.replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1') }],
    ['another kind', 400, { body: REVIEW.replace('AdmissionReview', 'Pod') }],
    ['a review without uid', 400, { body: REVIEW.replace('"uid":"uid-1",', '') }],
    ['a form', 415, { body: REVIEW, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['text', 415, { body: REVIEW, headers: { 'Content-Type': 'text/plain' } }],
    ['a type that only begins alike', 415, { body: REVIEW, headers: { 'Content-Type': 'application/json-seq' } }],
    ['another charset', 415, { body: REVIEW, headers: { 'Content-Type': 'application/json; charset=utf-16' } }],
    ['gzip', 415, { body: gzipSync(REVIEW), headers: { 'Content-Encoding': 'gzip' } }],
    ['a gzip bomb', 415, { body: gzipSync(Buffer.alloc(20_000_000, 0x20)), headers: { 'Content-Encoding': 'gzip' } }],
    ['br', 415, { body: REVIEW, headers: { 'Content-Encoding': 'br' } }],
    ['identity', 415, { body: REVIEW, headers: { 'Content-Encoding': 'identity' } }],
  ];
  for (const [what, status, body] of REFUSED) {
    it(`refuses ${what} with ${status}`, async () => {
      const app = appRig();

      const response = await post(body, app);

      assert.equal(response.status, status);
      assert.match(response.text, /^[\x20-\x7e]+\n$/u);
      assert.equal(response.headers['connection'], 'close');
      assert.deepEqual(app.refusals, [status]);
      assert.deepEqual(
        app.lines.map(({ level }) => level),
        ['warn'],
      );
    });
  }

  const TAKEN: readonly (readonly [what: string, body: Body])[] = [
    ['a charset of UTF-8', { body: REVIEW, headers: { 'Content-Type': 'Application/JSON; charset="UTF-8"' } }],
    ['nesting of 200', { body: REVIEW.replace('"oldObject":null', `"oldObject":${NESTED(200)}`) }],
    ['brackets inside texts', { body: REVIEW.replace('"oldObject":null', `"oldObject":"\\"${'['.repeat(500)}"`) }],
    ['a key twice, of which the last counts', { body: REVIEW.replace('"uid":"uid-1"', '"uid":"first","uid":"uid-1"') }],
    [
      'keys that objects inherit',
      { body: REVIEW.replace('"oldObject":null', '"__proto__":{"uid":"x"},"constructor":1,"toString":[]') },
    ],
    ['an object that is null', { body: JSON.stringify(reviewOf(null, { operation: 'DELETE' })) }],
    ['an object that is a number', { body: JSON.stringify(reviewOf(null, { object: 7 })) }],
    [
      'a thousand extra user fields',
      {
        body: JSON.stringify(
          reviewOf(podOf('a:1'), {
            userInfo: { extra: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`k${at}`, ['v']])) },
          }),
        ),
      },
    ],
    ['eight megabytes', { body: REVIEW.replace('"oldObject":null', `"oldObject":"${'x'.repeat(8 * 1024 * 1024)}"`) }],
    [
      'seventy thousand keys',
      {
        body: REVIEW.replace(
          '"oldObject":null',
          `"oldObject":{${Array.from({ length: 70_000 }, (_, at) => `"${at * 32}":0`).join(',')}}`,
        ),
      },
    ],
  ];
  for (const [what, body] of TAKEN) {
    it(`answers ${what}`, async () => {
      const response = await post(body, appRig(rig().review));

      assert.equal(response.status, 200);
      assert.equal((response.body as { readonly response: { readonly uid: string } }).response.uid, 'uid-1');
      assert.equal(Object.hasOwn(Object.prototype, 'uid'), false);
    });
  }

  const TIMEOUTS: readonly (readonly [query: string, timeoutMs: number | undefined])[] = [
    ['', undefined],
    ['?timeout=5s', 5000],
    ['?timeout=1s', 1000],
    ['?timeout=1.5s', 1500],
    ['?timeout=250ms', 250],
    ['?timeout=1h', 3_600_000],
    ['?x=1&timeout=10s', 10_000],
    ['?timeout=0s', undefined],
    ['?timeout=-5s', undefined],
    ['?timeout=5', undefined],
    ['?timeout=', undefined],
    ['?timeout=5s5s', undefined],
    ['?timeout=Infinity', undefined],
    ['?timeout[]=5s', undefined],
    ['?timeout=%zz', undefined],
    [`?timeout=${'9'.repeat(400)}s`, undefined],
  ];
  for (const [query, timeoutMs] of TIMEOUTS) {
    it(`reads "${query.slice(0, 40)}" as ${timeoutMs ?? 'no timeout'}`, async () => {
      const { app, asked } = appRig();

      const response = await request(app)
        .post(`/validate${query}`)
        .set('Content-Type', 'application/json')
        .send(REVIEW);

      assert.equal(response.status, 200);
      assert.deepEqual(
        asked.map((options) => options.timeoutMs),
        [timeoutMs],
      );
    });
  }

  it('admits where the reviewer throws but the uid is known', async () => {
    const app = appRig(() => Promise.reject(new Error('a bug')));

    const response = await post({ body: REVIEW }, app);

    assert.equal(response.status, 200);
    const answer = (response.body as { readonly response: Record<string, unknown> }).response;
    assert.deepEqual([answer['uid'], answer['allowed']], ['uid-1', true]);
    assert.deepEqual(
      app.lines.map(({ level, message }) => [level, message]),
      [['error', 'review failed']],
    );
  });

  it('answers 500 without a word about the reason where even that is not known', async () => {
    const app = appRig(() => Promise.reject(new Error('a bug with hunter2')));

    const response = await post({ body: '{}' }, app);

    assert.equal(response.status, 500);
    assert.equal(response.text, 'Pullguard failed inside\n');
    assert.deepEqual(app.refusals, [500]);
  });

  it('gives one answer to any JSON', async () => {
    const { app } = appRig(rig().review);
    const server = createServer(app).listen(0, '127.0.0.1');
    try {
      await fc.assert(
        fc.asyncProperty(fc.json(), async (body) => {
          const response = await request(server).post('/validate').set('Content-Type', 'application/json').send(body);

          assert.equal(response.status, 400);
        }),
        { numRuns: 50 },
      );
    } finally {
      server.close();
    }
  });
});

describe('the paths and methods of the app', () => {
  const METHODS = ['get', 'put', 'patch', 'delete', 'options', 'head', 'trace'] as const;
  for (const method of METHODS) {
    it(`refuses ${method.toUpperCase()} /validate with 405`, async () => {
      const response = await request(appRig().app)[method]('/validate');

      assert.equal(response.status, 405);
      assert.equal(response.headers['allow'], 'POST');
    });
  }

  const PATHS = [
    '/',
    '//validate',
    '/validate/',
    '/Validate',
    '/validate/x',
    '/%76alidate/',
    '/validate%2f',
    '/healthz',
    '/..%2fvalidate',
    '/%zz',
  ];
  for (const path of PATHS) {
    it(`knows no ${path}`, async () => {
      const response = await request(appRig().app).post(path).set('Content-Type', 'application/json').send(REVIEW);

      assert.ok(response.status === 404 || response.status === 400, `${response.status}`);
    });
  }
});

const listening = async (use: (port: number) => Promise<void>): Promise<void> => {
  const server = createServer(appRig().app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};
const head = (...lines: readonly string[]): string =>
  ['POST /validate HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...lines, '', ''].join('\r\n');

describe('the limits of a body', () => {
  it('refuses a length above 9 MiB before it reads, and closes', () =>
    listening(async (port) => {
      const answer = await talk(port, head(`Content-Length: ${MAX_REVIEW_BYTES + 1}`));

      assert.match(answer, /^HTTP\/1\.1 413 /u);
    }));

  it('refuses an endless body at 9 MiB, and closes', () =>
    listening(async (port) => {
      const mebibyte = Buffer.alloc(1024 * 1024, 0x20);
      const chunk = [Buffer.from('100000\r\n'), mebibyte, Buffer.from('\r\n')];

      const answer = await talk(port, [
        head('Transfer-Encoding: chunked'),
        ...Array.from({ length: 10 }, () => chunk).flat(),
      ]);

      assert.match(answer, /^HTTP\/1\.1 413 /u);
    }));

  const BROKEN: readonly (readonly [what: string, bytes: string, answer: RegExp])[] = [
    ['both lengths', `${head('Content-Length: 2', 'Transfer-Encoding: chunked')}0\r\n\r\n`, /^HTTP\/1\.1 400 /u],
    ['two lengths', `${head('Content-Length: 2', 'Content-Length: 3')}{}`, /^HTTP\/1\.1 400 /u],
    ['64 KiB of headers', head(`X-Long: ${'x'.repeat(65_536)}`), /^HTTP\/1\.1 431 /u],
    [
      'a header named __proto__',
      `${head('__proto__: x', 'Content-Length: 2', 'Connection: close')}{}`,
      /^HTTP\/1\.1 400 /u,
    ],
    ['HTTP/0.9', 'GET /validate\r\n\r\n', /^HTTP\/1\.1 40[05] /u],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 (?:400|505) /u],
  ];
  for (const [what, bytes, expected] of BROKEN) {
    it(`survives ${what}`, () =>
      listening(async (port) => {
        assert.match(await talk(port, bytes), expected);
        const sound = await talk(port, `${head(`Content-Length: ${REVIEW.length}`, 'Connection: close')}${REVIEW}`);
        assert.match(sound, /^HTTP\/1\.1 200 /u);
      }));
  }

  it('holds nothing of a body while its review waits for registries', async () => {
    const waiting = Promise.withResolvers<void>();
    const held: WeakRef<object>[] = [];
    const { app } = appRig(async (body, options) => {
      held.push(new WeakRef(body as object));
      const answer = await admitAll(body, options);
      return waiting.promise.then(() => answer);
    });
    const answer = post({ body: REVIEW }, { ...appRig(), app });
    while (held.length === 0) await nextTurn();

    assert.ok(await isForgotten(held[0]));
    waiting.resolve();
    assert.equal((await answer).status, 200);
  });

  it('tells the reviewer when the caller is gone', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const { app } = appRig(async (body, { signal, ...options }) => {
      signal.addEventListener('abort', () => resolve());
      await gone;
      return admitAll(body, { ...options, signal });
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    const caller = request(server).post('/validate').set('Content-Type', 'application/json').send(REVIEW);
    const failed = assert.rejects(async () => caller.timeout({ response: 100 }));

    await Promise.all([gone, failed]);
    server.close();
  });
});
