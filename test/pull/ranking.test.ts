import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { basicAuth, type Bend } from '../../webhook/demo/registry.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import type { OutcomeKind } from '../../webhook/outcome/outcome.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { cut, reply, status } from '../support/bend.ts';
import { createSelfSigned } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, login, predict } from './rig.ts';

const NOT_FOUND = status(404, 'MANIFEST_UNKNOWN');
const DENIED = status(403, 'DENIED');
const ERROR = status(502, 'UNKNOWN');
const GONE = cut('start');

/** Each column: who is named of mirror and upstream, by containerd 2.1, by containerd 1.7, by CRI-O (pull-parity D17, E11). */
const CASES: readonly (readonly [string, Bend, Bend, OutcomeKind, OutcomeKind, OutcomeKind])[] = [
  ['404, then 404', NOT_FOUND, NOT_FOUND, 'tag-not-found', 'tag-not-found', 'tag-not-found'],
  ['404, then no answer', NOT_FOUND, GONE, 'tag-not-found', 'unreachable', 'unreachable'],
  ['404, then 403', NOT_FOUND, DENIED, 'access-denied', 'access-denied', 'access-denied'],
  ['403, then 404', DENIED, NOT_FOUND, 'access-denied', 'access-denied', 'tag-not-found'],
  ['502, then 403', ERROR, DENIED, 'registry-error', 'registry-error', 'access-denied'],
  ['no answer, then 404', GONE, NOT_FOUND, 'tag-not-found', 'unreachable', 'tag-not-found'],
];

let upstream: ScriptedRegistry;
let mirror: ScriptedRegistry;
let transport: Transport;
let host: string;
before(async () => {
  [upstream, mirror] = await Promise.all([startScriptedRegistry(), startScriptedRegistry()]);
  transport = createWire();
  host = `reg.test:${upstream.port}`;
});
after(() => Promise.all([transport.close(), upstream.close(), mirror.close()]));
beforeEach(() => {
  for (const one of [upstream, mirror]) {
    one.straighten();
    one.log.clear();
  }
});

const registriesConf = (): string => `[[registry]]
prefix = "${host}"
location = "${host}"
insecure = true
[[registry.mirror]]
location = "other.test:${mirror.port}"
insecure = true
`;

describe('which of several endpoints is named', () => {
  for (const [name, atMirror, atUpstream, ...kinds] of CASES) {
    for (const [at, runtime] of ['containerd@2.1/transfer', 'containerd@1.7', 'crio@1.34'].entries()) {
      it(`${runtime}: ${name}`, async () => {
        mirror.bend({ kind: 'manifest' }, atMirror);
        upstream.bend({ kind: 'manifest' }, atUpstream);
        const setup = {
          ...hostsFile(host, [`http://other.test:${mirror.port}`]),
          crio: {
            registriesConf: [{ name: 'registries.conf', text: registriesConf() }],
            certsD: [],
            policyJson: undefined,
          },
        };

        const { outcome } = await predict(`${host}/app:1`, { transport, runtime, setup });

        assert.equal(outcome.kind, kinds[at], JSON.stringify(outcome));
      });
    }
  }

  it('says first that a mirror speaks TLS where HTTP is declared: such a server answers 400', async () => {
    const { chain: cert, key } = createSelfSigned({ names: ['other.test'] });
    const secure = await mirror.listenToo({ tls: { cert, key } });
    upstream.bend({ kind: 'manifest' }, NOT_FOUND);

    const { outcome } = await predict(`${host}/app:1`, {
      transport,
      setup: hostsFile(host, [`http://other.test:${secure.port}`]),
    });

    assert.equal(outcome.kind, 'https-expected-http');
  });

  it('says that a manifest is too large before all else', async () => {
    const large = { 'content-length': '4500000', 'docker-content-digest': `sha256:${'ab'.repeat(32)}` };
    mirror.bend({ kind: 'manifest' }, DENIED);
    upstream.bend({ kind: 'manifest', method: 'HEAD' }, reply(200, large));

    const { outcome } = await predict(`${host}/app:1`, {
      transport,
      setup: hostsFile(host, [`http://other.test:${mirror.port}`]),
    });

    assert.ok(outcome.kind === 'unsupported-manifest' && outcome.reason === 'too-large');
  });

  it('asks nobody after a redirect to nowhere, which is an answer that no other host makes up for', async () => {
    mirror.bend({ kind: 'manifest' }, reply(307, {}));

    const { outcome, isConclusive } = await predict(`${host}/app:1`, {
      transport,
      setup: hostsFile(host, [`http://other.test:${mirror.port}`]),
    });

    assert.deepEqual([outcome.kind, isConclusive], ['registry-error', false]);
    assert.deepEqual(upstream.log.lines(), []);
  });

  it('asks nobody after a Docker-Content-Digest that is none', async () => {
    mirror.store.repository('app').addImage({ tags: ['1'] });
    mirror.bend({ kind: 'manifest' }, (_question, answer) => ({
      ...answer,
      headers: { ...answer.headers, 'docker-content-digest': 'sha256:short' },
    }));

    const { outcome } = await predict(`${host}/app:1`, {
      transport,
      setup: hostsFile(host, [`http://other.test:${mirror.port}`]),
    });

    assert.equal(outcome.kind, 'registry-error');
    assert.deepEqual(upstream.log.lines(), []);
  });
});

describe('which of several logins is named', () => {
  it('the one that was let in, whatever became of the others', async () => {
    upstream.store.repository('app').addImage({ tags: ['1'] });
    upstream.bend({ kind: 'manifest' }, basicAuth({ me: 'right' }));
    const refused = login('me', 'wrong', 'old');
    const welcome = login('me', 'right', 'new');

    for (const credentials of [
      [refused, welcome],
      [welcome, refused],
    ]) {
      const { outcome, isConclusive } = await predict(`${host}/app:absent`, {
        transport,
        setup: hostsFile(host, []),
        credentials,
      });

      assert.deepEqual([outcome.kind, isConclusive], ['tag-not-found', true]);
    }
  });
});

describe('a refusal that asks for no login', () => {
  const rows: readonly (readonly [runtime: string, name: string, bend: Bend])[] = [
    ['containerd@2.1/transfer', '403', DENIED],
    ['containerd@2.1/transfer', '401 without a challenge', status(401, 'UNAUTHORIZED')],
    ['docker@28.5/graph', '401 where /v2/ is open', basicAuth({ me: 'right' })],
    ['crio@1.34', '401 where /v2/ is open', basicAuth({ me: 'right' })],
  ];
  for (const [runtime, name, bend] of rows) {
    it(`is not called a refusal of the login that was not sent: ${runtime}, ${name}`, async () => {
      upstream.bend({ kind: 'manifest' }, bend);

      const { outcome, isConclusive } = await predict(`${host}/app:1`, {
        transport,
        runtime,
        insecure: [host],
        credentials: [login('me', 'right')],
      });

      assert.ok(outcome.kind === 'access-denied' && outcome.reason === 'login-unasked', JSON.stringify(outcome));
      assert.deepEqual([outcome.evidence.askedAs, isConclusive], [{ by: 'anonymous' }, true]);
    });
  }
});

describe('where content comes from', () => {
  it('pulls all anew from the next endpoint with dockerd, and stays with the first that knows the name with CRI-O', async () => {
    const image = mirror.store.repository('library/half').addImage({ tags: ['1'] });
    upstream.store.repository('library/half').addImage({ tags: ['1'] });
    mirror.bend({ kind: 'blob', reference: image.config.digest }, status(404, 'BLOB_UNKNOWN'));
    const text = registriesConf().replace(/prefix = .*/u, 'prefix = "docker.io"');
    const daemonJson = JSON.stringify({
      'registry-mirrors': [`http://127.0.0.1:${mirror.port}`, `http://127.0.0.1:${upstream.port}`],
    });
    const setup = {
      docker: { daemonJson: { name: 'daemon.json', text: daemonJson }, certsD: memoryTree('/etc/docker/certs.d', {}) },
      crio: { registriesConf: [{ name: 'registries.conf', text }], certsD: [], policyJson: undefined },
    };

    const docker = await predict('docker.io/library/half:1', { transport, setup, runtime: 'docker@28.5/graph' });
    const crio = await predict('docker.io/library/half:1', { transport, setup, runtime: 'crio@1.34' });

    assert.equal(docker.outcome.kind, 'pullable', JSON.stringify(docker.outcome));
    assert.equal(crio.outcome.kind, 'damaged', JSON.stringify(crio.outcome));
  });
});
