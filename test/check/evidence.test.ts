import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { runHere } from '../cli/run-here.ts';
import { cut, reply, status } from '../support/bend.ts';
import { createAuthority, expiredDates } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

let folder = '';
let registry: ScriptedRegistry;
let strange: { readonly port: number };
let expired: { readonly port: number };
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-evidence-'));
  registry = await startScriptedRegistry();
  const authority = createAuthority();
  const sound = authority.issue({ names: ['reg.test'] });
  const old = authority.issue({ names: ['reg.test'], dates: expiredDates() });
  strange = await registry.listenToo({ tls: { cert: sound.chain, key: sound.key } });
  expired = await registry.listenToo({ tls: { cert: old.chain, key: old.key } });
  const app = registry.store.repository('app');
  app.addIndex([app.addImage({ tags: ['1'] })], { tags: ['index'] });
  app.addImage({ tags: ['arm'], platform: { os: 'linux', architecture: 'arm64' } });
  const damaged = registry.store.repository('damaged').addImage({ tags: ['1'] });
  registry.store.damage(damaged.config.digest, 'removed');
  const host = `reg.test:${registry.port}`;
  mkdirSync(join(folder, host));
  writeFileSync(join(folder, host, 'hosts.toml'), `server = "http://${host}"\n`);
  mkdirSync(join(folder, `reg.test:${expired.port}`));
  writeFileSync(join(folder, `reg.test:${expired.port}`, 'ca.crt'), authority.certificate);
});
after(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => registry.straighten());

type Facts = Readonly<Record<string, unknown>>;

async function check(image: string, ...more: readonly string[]): Promise<readonly [unknown, Facts]> {
  const args = ['check', '-o', 'json', '--add-host', 'reg.test:127.0.0.1', '--certs-d', folder, ...more, image];
  const { stdout } = await runHere(args);
  const [row] = (JSON.parse(stdout) as { readonly results: readonly Facts[] }).results;
  return [row?.['outcome'], (row?.['evidence'] ?? {}) as Facts];
}
const at = (name: string, port = registry.port): string => `reg.test:${port}/${name}`;
const ABSENT = `sha256:${'ab'.repeat(32)}`;

describe('the evidence of an outcome', () => {
  const situations: readonly (readonly [
    kind: string,
    arrange: () => readonly [string, ...string[]],
    expected: Facts,
  ])[] = [
    ['pullable', () => [at('app:1')], { status: 200, method: 'HEAD', platforms: ['linux/amd64'] }],
    ['will-not-run', () => [at('app:arm')], { status: 200, found: 'linux/arm64', wanted: ['linux/amd64'] }],
    ['tag-not-found', () => [at('app:2')], { status: 404, code: 'MANIFEST_UNKNOWN', tag: '2' }],
    ['repository-not-found', () => [at('nothing:1')], { status: 404, code: 'NAME_UNKNOWN' }],
    ['digest-not-found', () => [at(`app@${ABSENT}`)], { status: 404, digest: ABSENT }],
    [
      'platform-mismatch',
      () => [at('app:index'), '--platform', 'linux/s390x'],
      { status: 200, method: 'GET', wanted: ['linux/s390x'], offered: ['linux/amd64'] },
    ],
    ['damaged', () => [at('damaged:1')], { status: 404, code: 'BLOB_UNKNOWN', part: 'config' }],
    [
      'access-denied',
      () => {
        registry.bend({}, status(403, 'DENIED'));
        return [at('app:1')];
      },
      { status: 403, code: 'DENIED', askedAs: { by: 'anonymous' }, by: 'registry' },
    ],
    [
      'unsupported-manifest',
      () => {
        registry.bend({ kind: 'manifest' }, reply(200, { 'content-type': 'text/html' }, '<html>'));
        return [at('app:1')];
      },
      { status: 200, mediaType: 'text/html' },
    ],
    [
      'rate-limited',
      () => {
        registry.bend({}, reply(429, { 'retry-after': '7' }, ''));
        return [at('app:1')];
      },
      { status: 429, retryAfterSeconds: 7 },
    ],
    [
      'registry-error',
      () => {
        registry.bend({}, status(502, 'UNKNOWN'));
        return [at('app:1')];
      },
      { status: 502 },
    ],
    [
      'unreachable',
      () => {
        registry.bend({}, cut('start'));
        return [at('app:1')];
      },
      { method: 'HEAD', phase: 'reset' },
    ],
  ];
  for (const [kind, arrange, expected] of situations) {
    it(`says what was asked and answered for ${kind}`, async () => {
      const [outcome, evidence] = await check(...arrange());

      assert.equal(outcome, kind);
      assert.equal(evidence['endpoint'], `http://reg.test:${registry.port}`);
      assert.match(String(evidence['path']), /^\/v2\//u);
      assert.match(String(evidence['declaredBy']), /hosts\.toml$/u);
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(evidence[name], value, name);
    });
  }

  for (const [kind, portOf] of [
    ['tls-unknown-authority', (): number => strange.port],
    ['tls-expired', (): number => expired.port],
  ] as const) {
    it(`shows the certificate for ${kind}`, async () => {
      const [outcome, evidence] = await check(at('app:1', portOf()));

      const certificate = evidence['certificate'] as Facts;
      assert.equal(outcome, kind);
      assert.equal(evidence['endpoint'], `https://reg.test:${portOf()}`);
      assert.match(String(certificate['subject']), /reg\.test/u);
      assert.match(String(certificate['issuer']), /Test Root/u);
      assert.deepEqual(certificate['names'], ['reg.test']);
      assert.ok(Date.parse(String(certificate['validFrom'])) < Date.parse(String(certificate['validTo'])));
    });
  }
});
