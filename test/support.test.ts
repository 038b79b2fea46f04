import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { createImageStore, packTar, sha256 } from '../webhook/demo/image-store.ts';
import { basicAuth, type Bend } from '../webhook/demo/registry.ts';
import { decodeImageConfig } from '../webhook/image/image-config.ts';
import { decodeManifest } from '../webhook/image/manifest.ts';
import {
  cut,
  delay,
  neverAnswer,
  raw,
  redirect,
  reply,
  status,
  throttle,
  withHeaders,
  withoutHeader,
} from './support/bend.ts';
import { addArtifact, addAttestation, addForeignImage, addSchema1 } from './support/odd-image.ts';
import { createAuthority, createSelfSigned, expiredDates, futureDates, type CertificatePair } from './support/pki.ts';
import { holdsSecret } from './support/request-log.ts';
import { startScriptedRegistry, type ScriptedRegistryOptions } from './support/scripted-registry.ts';
import { startTokenService, type TokenServiceOptions } from './support/token-service.ts';

type Headers = Readonly<Record<string, string>>;

async function get(url: string, headers: Headers = {}, method: 'GET' | 'HEAD' | 'POST' = 'GET', body?: string) {
  const response = await request(url, { method, headers, body: body ?? null });
  const text = await response.body.text();
  return { status: response.statusCode, headers: response.headers, text };
}

async function scripted(t: TestContext, options?: ScriptedRegistryOptions) {
  const registry = await startScriptedRegistry(options);
  t.after(registry.close);
  const image = registry.store.repository('team/app').addImage({ tags: ['1', '2', '3'] });
  return { registry, image, url: (path: string) => `${registry.origin}/v2/${path}` };
}

const basic = (user: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

describe('the image store', () => {
  for (const format of ['oci', 'docker'] as const) {
    it(`builds ${format} images whose every digest, size and diff id is true`, () => {
      const store = createImageStore();
      const layers = [{ 'etc/motd': 'hello' }, { 'bin/app': new Uint8Array([1, 2, 3]) }];
      const image = store.repository('app').addImage({ format, layers, paddingBytes: 5000, tags: ['1'] });

      const found = store.findManifest('app', '1');
      assert.ok(found);
      assert.equal(sha256(found.body), image.digest);
      const manifest = decodeManifest(found.body, found.mediaType);
      assert.ok(manifest.ok && manifest.value.kind === 'manifest');
      const config = store.findBlob('app', manifest.value.config.digest);
      const blobs = manifest.value.layers.map((layer) => store.findBlob('app', layer.digest) ?? new Uint8Array());
      const decoded = decodeImageConfig(config ?? new Uint8Array());

      assert.deepEqual(
        blobs.map(sha256),
        manifest.value.layers.map((layer) => layer.digest),
      );
      assert.deepEqual(
        blobs.map((blob) => blob.length),
        manifest.value.layers.map((layer) => layer.size),
      );
      assert.ok(decoded.ok);
      assert.deepEqual(
        decoded.value.diffIds,
        blobs.map((blob) => sha256(gunzipSync(blob))),
      );
      assert.ok((blobs[2]?.length ?? 0) > 5000);
      assert.deepEqual(gunzipSync(blobs[0] ?? ''), packTar({ 'etc/motd': 'hello' }));
    });
  }

  it('builds indexes, artifacts, attestations, schema 1 and foreign layers that decode as what they are', () => {
    const store = createImageStore();
    const repository = store.repository('app');
    repository.addIndex([repository.addImage(), addAttestation(repository)], { tags: ['index'] });
    addArtifact(repository, { tags: ['artifact'] });
    addForeignImage(repository, ['https://layers.example/1'], ['foreign']);
    addSchema1(repository, ['schema1']);
    const decoded = (tag: string) => {
      const found = store.findManifest('app', tag);
      return decodeManifest(found?.body ?? new Uint8Array(), found?.mediaType ?? '');
    };
    const [index, artifact, foreign] = [decoded('index'), decoded('artifact'), decoded('foreign')];

    assert.ok(index.ok && index.value.kind === 'index');
    assert.deepEqual(
      index.value.manifests.map((entry) => entry.platform?.os),
      ['linux', 'unknown'],
    );
    assert.ok(artifact.ok && artifact.value.kind === 'manifest');
    assert.equal(artifact.value.config.mediaType, 'application/vnd.oci.empty.v1+json');
    assert.ok(foreign.ok && foreign.value.kind === 'manifest');
    assert.deepEqual(foreign.value.layers[0]?.urls, ['https://layers.example/1']);
    assert.equal(store.findBlob('app', foreign.value.layers[0].digest), undefined);
    assert.match(JSON.stringify(decoded('schema1')), /it is a schema 1 manifest inside/u);
  });

  it('keeps the name of content that was damaged', () => {
    const store = createImageStore();
    const blob = new Uint8Array([1, 2, 3, 4]);
    const keep = () => store.repository('app').addBlob(blob).digest;

    store.damage(keep(), 'flipped');
    assert.deepEqual([...(store.findBlob('app', sha256(blob)) ?? [])], [1, 2, 2, 4]);
    store.damage(keep(), 'halved');
    assert.equal(store.findBlob('app', sha256(blob))?.length, 2);
    store.damage(keep(), new Uint8Array([9]));
    assert.deepEqual([...(store.findBlob('app', sha256(blob)) ?? [])], [9]);
    store.damage(keep(), 'removed');
    assert.equal(store.findBlob('app', sha256(blob)), undefined);
    assert.throws(() => store.damage(sha256(blob), 'flipped'), /nothing to damage/u);
  });
});

describe('the scripted registry', () => {
  const absent = `sha256:${'0'.repeat(64)}`;
  const cases: readonly (readonly [path: string, status: number, body: RegExp])[] = [
    ['', 200, /^\{\}$/u],
    ['team/app/manifests/1', 200, /"schemaVersion":2/u],
    ['team/app/manifests/nope', 404, /MANIFEST_UNKNOWN/u],
    [`team/app/manifests/${absent}`, 404, /MANIFEST_UNKNOWN/u],
    ['team/other/manifests/1', 404, /NAME_UNKNOWN/u],
    [`team/app/blobs/${absent}`, 404, /BLOB_UNKNOWN/u],
    ['team/app/blobs/sha256:12', 400, /DIGEST_INVALID/u],
    ['team/app/tags/list', 200, /^\{"name":"team\/app","tags":\["1","2","3"\]\}$/u],
    ['team/app/tags/list?n=1&last=1', 200, /"tags":\["2"\]/u],
    ['team/app/tags/list?n=x', 400, /PAGINATION_NUMBER_INVALID/u],
    ['team/app', 404, /^404$/u],
  ];
  for (const [path, expected, body] of cases) {
    it(`answers GET /v2/${path} with ${expected}`, async (t) => {
      const { url } = await scripted(t);

      const answer = await get(url(path));

      assert.equal(answer.status, expected);
      assert.match(answer.text, body);
    });
  }

  it('answers HEAD like GET without the body, and parts of blobs for a Range', async (t) => {
    const { url, image, registry } = await scripted(t);
    const blob = url(`team/app/blobs/${image.config.digest}`);
    const whole = (await get(blob)).text;
    const head = await get(url('team/app/manifests/1'), {}, 'HEAD');
    const ranges = await Promise.all(
      ['bytes=2-4', 'bytes=-3', 'bytes=190-', 'bytes=9999-'].map(async (range) => await get(blob, { range })),
    );

    assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', String(image.size)]);
    assert.equal(head.headers['docker-content-digest'], image.digest);
    assert.deepEqual(
      ranges.map((one) => one.status),
      [206, 206, 206, 416],
    );
    assert.deepEqual(
      ranges.slice(0, 3).map((one) => one.text),
      [whole.slice(2, 5), whole.slice(-3), whole.slice(190)],
    );
    assert.equal(
      (await get(url('team/app/tags/list?n=2'))).headers['link'],
      '</v2/team/app/tags/list?n=2&last=2>; rel="next"',
    );
    assert.equal((await get(url(''), {}, 'POST', 'x')).status, 405);
    assert.deepEqual(registry.log.lines().slice(0, 2), [
      `GET /v2/team/app/blobs/${image.config.digest}`,
      'HEAD /v2/team/app/manifests/1',
    ]);
  });

  const bends: readonly (readonly [name: string, bend: Bend, expected: number | RegExp])[] = [
    ['a status', status(503, 'UNAVAILABLE'), 503],
    ['a delay', delay(20), 200],
    ['another body', reply(200, { 'content-type': 'text/html' }, '<html>'), 200],
    ['other headers', withHeaders({ 'docker-content-digest': 'sha256:lie' }), 200],
    ['a missing header', withoutHeader('docker-content-digest'), 200],
    ['a redirect', redirect(({ url }) => `https://elsewhere.example${url.pathname}`), 307],
    ['a slow body', throttle(4000), 200],
    ['a cut before the answer', cut('start'), /closed|ECONNRESET/u],
    ['a cut body', cut(10), /closed|terminated|ECONNRESET/u],
    [
      'a promised length that never comes',
      withHeaders({ 'content-length': '100000' }),
      /closed|terminated|ECONNRESET/u,
    ],
    ['what is no HTTP', raw('SSH-2.0-OpenSSH_9.9\r\n'), /HTTP|Parse/u],
  ];
  for (const [name, bend, expected] of bends) {
    it(`can be bent to ${name}, for as many requests as asked`, async (t) => {
      const { registry, url } = await scripted(t);
      registry.bend({ kind: 'manifest', repository: 'team/app', reference: '1' }, bend, { after: 1, times: 1 });
      const plain = await get(url('team/app/manifests/1'));

      const bent = get(url('team/app/manifests/1'));

      if (expected instanceof RegExp) await assert.rejects(bent, expected);
      else assert.equal((await bent).status, expected);
      const again = await get(url('team/app/manifests/1'));
      assert.deepEqual([again.status, again.text], [200, plain.text]);
      registry.bend({ path: /manifests/u }, status(500, 'UNKNOWN'));
      assert.equal((await get(url('team/app/manifests/2'))).status, 500);
      registry.straighten();
      assert.equal((await get(url('team/app/manifests/2'))).status, 200);
    });
  }

  it('ends every connection when closed, also the ones that wait for an answer', async (t) => {
    const { registry, url } = await scripted(t);
    registry.bend({ method: 'GET' }, neverAnswer);
    const waiting = get(url('team/app/manifests/1'));
    const rejected = assert.rejects(waiting, /closed|ECONNRESET/u);
    await get(url('team/app/manifests/1'), {}, 'HEAD');

    await registry.close();
    await registry.close();

    await rejected;
    await assert.rejects(get(url('team/app/manifests/1')), /ECONNREFUSED|closed|ECONNRESET/u);
  });

  it('serves the same content on more ports and under another prefix', async (t) => {
    const { registry } = await scripted(t);

    const other = await registry.listenToo({ pathPrefix: '/v2/proxy' });

    assert.equal((await get(`${other.origin}/v2/proxy/team/app/manifests/1`)).status, 200);
    assert.equal((await get(`${other.origin}/v2/team/app/manifests/1`)).status, 404);
    await registry.close();
    await assert.rejects(get(`${other.origin}/v2/proxy/`), /ECONNREFUSED|closed|ECONNRESET/u);
  });
});

describe('logins', () => {
  it('lets in only whom Basic authentication names', async (t) => {
    const { url, registry } = await scripted(t, { auth: basicAuth({ ada: 'pass:word' }) });
    const path = url('team/app/manifests/1');
    const stranger = await get(path);

    assert.equal((await get(path, basic('ada', 'pass:word'))).status, 200);
    assert.equal((await get(path, basic('ada', 'wrong'))).status, 401);
    assert.deepEqual([stranger.status, stranger.headers['www-authenticate']], [401, 'Basic realm="registry"']);
    assert.deepEqual(
      registry.log.requests.map((one) => one.authorization),
      ['none', 'basic', 'basic'],
    );
  });

  const logins = { ada: 'p' };
  const scope = 'repository:team/app:pull';
  const form = (fields: Headers): string => new URLSearchParams({ service: 's', scope, ...fields }).toString();
  type Step = { readonly headers?: Headers; readonly post?: string };
  const cases: readonly (readonly [
    name: string,
    options: TokenServiceOptions,
    step: Step,
    tokenStatus: number,
    pull: number,
  ])[] = [
    ['anonymous', {}, {}, 200, 200],
    ['anonymous, not allowed', { isAnonymousAllowed: false }, {}, 401, 401],
    ['a login by GET', { logins, isAnonymousAllowed: false }, { headers: basic('ada', 'p') }, 200, 200],
    ['a wrong login', { logins }, { headers: basic('ada', 'x') }, 401, 401],
    ['a login by POST', { logins }, { post: form({ username: 'ada', password: 'p' }) }, 200, 200],
    [
      'POST where only GET is',
      { logins, methods: ['GET'] },
      { post: form({ username: 'ada', password: 'p' }) },
      405,
      401,
    ],
    ['a token without access', { mayPull: (user) => user !== undefined }, {}, 200, 401],
    ['a refusal', { mayPull: () => false, onRefusal: 'denied' }, {}, 403, 401],
    ['a token that is over at once', { expiresIn: 0 }, {}, 200, 401],
    ['the other field', { field: 'access_token' }, {}, 200, 200],
    ['a token service that fails', { bends: [status(500, 'UNKNOWN')] }, {}, 500, 401],
  ];
  for (const [name, options, { headers = {}, post }, tokenStatus, pullStatus] of cases) {
    it(`judges by token: ${name}`, async (t) => {
      const tokens = await startTokenService(options);
      t.after(tokens.close);
      const { url } = await scripted(t, { auth: tokens.bearerAuth });
      const path = url('team/app/manifests/1');
      const challenge = String((await get(path)).headers['www-authenticate']);

      const method = post === undefined ? 'GET' : 'POST';
      const answer = await get(`${tokens.realm}?${post === undefined ? form({}) : ''}`, headers, method, post);
      const fields = JSON.parse(answer.text) as Readonly<Record<string, string>>;
      const token = fields['token'] ?? fields['access_token'] ?? 'none';
      const pulled = await get(path, { authorization: `Bearer ${token}` });

      assert.equal(challenge, `Bearer realm="${tokens.realm}",service="test-registry",scope="${scope}"`);
      assert.equal(answer.status, tokenStatus);
      assert.equal(pulled.status, pullStatus);
      if (tokenStatus === 200)
        assert.equal(
          (await get(url(''), { authorization: `Bearer ${token}` })).status,
          options.expiresIn === 0 ? 401 : 200,
        );
      assert.equal(tokens.log.requests.length, 1);
      if (tokenStatus === 200) assert.equal(tokens.issuedCount, 1);
    });
  }

  it('finds a secret in a log however it was written, and only there', async (t) => {
    const secret = 'h&nter 2/ü';
    const { registry, url } = await scripted(t);
    await get(url('team/app/manifests/1'), basic('ada', secret));
    await get(url(`?password=${encodeURIComponent(secret)}`));
    await get(url(''), { 'x-copy': encodeURIComponent(secret) });
    await get(url(''), {}, 'POST', new URLSearchParams({ password: secret }).toString());
    await get(url('team/app/manifests/1'), basic('ada', 'something else'));

    assert.deepEqual(
      registry.log.sightings(secret).map((one) => one.where),
      ['authorization', 'url', 'header', 'body'],
    );
    assert.equal(holdsSecret('nothing of it', secret), false);
    assert.throws(() => holdsSecret('x', ''), /empty secret/u);
  });
});

const serve = ({ chain, key }: CertificatePair): object => ({ cert: chain, key });

describe('certificates for tests', () => {
  const name = 'registry.example';
  const root = createAuthority();
  const intermediate = root.issueAuthority();
  const other = createAuthority('Another Root');
  const good = root.issue({ names: [name], addresses: ['127.0.0.1'] });
  const under = intermediate.issue({ names: [name] });
  const client = root.issue({ commonName: 'a node', use: 'client' });

  /** The code of the handshake's failure, or `ok`. TLS 1.2, where the server refuses clients inside the handshake. */
  async function handshake(t: TestContext, tls: object, options: ConnectionOptions = {}): Promise<string> {
    const { registry } = await scripted(t, { tls });
    const { port } = registry;
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: root.certificate,
      servername: name,
      maxVersion: 'TLSv1.2',
      ...options,
    });
    t.after(() => socket.destroy());
    return await once(socket, 'secureConnect').then(
      () => 'ok',
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
    );
  }
  const demanding = { ...serve(good), ca: root.certificate, requestCert: true, rejectUnauthorized: true };

  const cases: readonly (readonly [what: string, tls: object, options: ConnectionOptions, expected: RegExp])[] = [
    ['a good one', serve(good), {}, /^ok$/u],
    ['one for an address', serve(good), { servername: '' }, /^ok$/u],
    ['one under an intermediate', serve(under), {}, /^ok$/u],
    ['a missing intermediate', { cert: under.certificate, key: under.key }, {}, /^UNABLE_TO_/u],
    ['one of another authority', serve(other.issue({ names: [name] })), {}, /^UNABLE_TO_/u],
    ['a self-signed one', serve(createSelfSigned({ names: [name] })), {}, /^DEPTH_ZERO_SELF_SIGNED_CERT$/u],
    ['a wrong name', serve(root.issue({ names: ['wrong.example'] })), {}, /^ERR_TLS_CERT_ALTNAME_INVALID$/u],
    ['an expired one', serve(root.issue({ names: [name], dates: expiredDates() })), {}, /^CERT_HAS_EXPIRED$/u],
    ['one of the future', serve(root.issue({ names: [name], dates: futureDates() })), {}, /^CERT_NOT_YET_VALID$/u],
    ['a client without the certificate that is wanted', demanding, {}, /^(?:ERR_SSL_|ECONNRESET)/u],
    ['a client with it', demanding, { cert: client.certificate, key: client.key }, /^ok$/u],
  ];
  for (const [what, tls, options, expected] of cases) {
    it(`meet ${what}`, async (t) => {
      assert.match(await handshake(t, tls, options), expected);
    });
  }

  it('may have a common name alone', () => {
    const certificate = new X509Certificate(root.issue({ commonName: name }).certificate);

    assert.deepEqual([certificate.subject, certificate.subjectAltName], [`CN=${name}`, undefined]);
    assert.ok(certificate.verify(new X509Certificate(root.certificate).publicKey));
  });

  it('serve images over TLS, and 400 to plain HTTP on that port', async (t) => {
    const { registry } = await scripted(t, { tls: serve(good) });
    const dispatcher = new Agent({ connect: { ca: root.certificate } });
    t.after(async () => await dispatcher.close());

    const { statusCode, body } = await request(`${registry.origin}/v2/team/app/manifests/1`, { dispatcher });
    await body.dump();
    const plain = await get(`http://${registry.host}/v2/`);

    assert.equal(statusCode, 200);
    assert.deepEqual([plain.status, plain.text], [400, 'Client sent an HTTP request to an HTTPS server.\n']);
  });

  it('are of no use on a plain port', async (t) => {
    const { registry } = await scripted(t);
    const socket = connect({ port: registry.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());

    await assert.rejects(once(socket, 'secureConnect'), /wrong version number|packet length too long|ECONNRESET/iu);
    const silent = connectPlain(registry.port, '127.0.0.1');
    await once(silent, 'connect');
    await registry.close();
    await once(silent.resume(), 'close');
  });
});

describe('the reporter', () => {
  it('shows failures in full, the reasons of skipped tests, and the counts last', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'reporter-'));
    t.after(async () => await rm(folder, { recursive: true }));
    const file = join(folder, 'sample.test.mjs');
    const tests = [
      `import { describe, it } from 'node:test'; import assert from 'node:assert/strict';`,
      `describe('outer', () => { it('is wrong', () => assert.equal(1, 2)); it('is right', () => {}); });`,
      `it('waits', { skip: 'for better days' }, () => {}); it('is known', { todo: true }, () => assert.fail());`,
    ];
    await writeFile(file, tests.join('\n'));
    const reporter = join(import.meta.dirname, 'support/reporter.ts');
    // a runner that was started by a runner would report to it
    const { NODE_TEST_CONTEXT: _inherited, ...env } = process.env;

    const run = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(process.execPath, ['--test', `--test-reporter=${reporter}`, file], { env }, (error, output) => {
        resolve({ code: error?.code, output });
      });
    });

    assert.equal(run.code, 1);
    assert.match(run.output, /✖ outer > is wrong\n {2}at .*sample\.test\.mjs:2:\d+\n {2}AssertionError/u);
    assert.match(run.output, /^﹣ waits # for better days$/mu);
    assert.match(run.output, /^⚠ is known # fails, as is known$/mu);
    assert.doesNotMatch(run.output, /is right/u);
    assert.match(
      run.output,
      /ℹ tests 4\nℹ suites 1\nℹ pass 1\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 1\nℹ duration_ms [\d.]+\n1 passed, 1 failed, 1 skipped\n$/u,
    );
  });
});
