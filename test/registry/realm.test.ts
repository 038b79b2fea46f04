import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayAskRealm, readRealm, type RealmRules } from '../../webhook/registry/realm.ts';

describe('reading the realm of a challenge', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['', 'its challenge names no realm'],
    ['/token', 'its challenge names a realm that is no URL'],
    ['token.test/token', 'its challenge names a realm that is no URL'],
    ['file:///etc/passwd', 'its challenge names a realm that is no URL'],
    ['data:application/json,{"token":"x"}', 'its challenge names a realm that is no URL'],
    ['gopher://token.test/', 'its challenge names a realm that is no URL'],
    ['javascript:alert(1)', 'its challenge names a realm that is no URL'],
    [' https://token.test/', 'its challenge names a realm that is no URL'],
    ['https://', 'its challenge names a realm that is no URL'],
    ['https://token.test:99999/', 'its challenge names a realm that is no URL'],
    [`https://token.test/${'a'.repeat(64 * 1024)}`, 'its challenge names a realm that is no URL'],
  ];
  for (const [text, error] of refused) {
    it(`refuses "${text.slice(0, 60)}"`, () => assert.deepEqual(readRealm(text), { ok: false, error }));
  }

  it('takes http, https, a port, a query and an IPv6 address', () => {
    for (const text of ['http://a.test/', 'https://a.test:5001/token?x=1', 'https://[2001:db8::1]:5001/t']) {
      const realm = readRealm(text);
      assert.equal(realm.ok && realm.value.href, text);
    }
  });
});

const https = (authority: string) => ({ scheme: 'https', authority }) as const;

const http = (authority: string) => ({ scheme: 'http', authority }) as const;

describe('whether a realm may be asked', () => {
  const open: RealmRules = { isStrict: false, pairs: [] };
  const strict: RealmRules = { isStrict: true, pairs: [{ registry: 'reg.test', realm: 'sso.test' }] };
  type Case = readonly [
    string,
    RealmRules,
    ReturnType<typeof https> | ReturnType<typeof http>,
    string,
    boolean,
    boolean,
  ];
  const cases: readonly Case[] = [
    ['a login over https to any host', open, https('reg.test'), 'https://sso.test/', true, true],
    ['a login over http for an https registry', open, https('reg.test'), 'http://reg.test/', true, false],
    ['a login over http for an http registry', open, http('reg.test'), 'http://sso.test/', true, true],
    ['no login over http for an https registry', open, https('reg.test'), 'http://sso.test/', false, true],
    ['a realm with a name in it', open, https('reg.test'), 'https://me@sso.test/', false, false],
    ['a realm with a password in it', open, https('reg.test'), 'https://:pw@sso.test/', true, false],
    ['strictly: the same host', strict, https('reg.test:5000'), 'https://reg.test:5000/token', true, true],
    ['strictly: the same name on another port', strict, https('reg.test:5000'), 'https://reg.test/token', true, false],
    ['strictly: a pair that the policy lists', strict, https('reg.test'), 'https://sso.test/', true, true],
    ['strictly: that realm for another registry', strict, https('evil.test'), 'https://sso.test/', true, false],
    ['strictly: a stranger', strict, https('reg.test'), 'https://evil.test/', true, false],
    ['strictly: a stranger without a login', strict, https('reg.test'), 'https://evil.test/', false, true],
    ['strictly: Docker Hub', strict, https('registry-1.docker.io'), 'https://auth.docker.io/token', true, true],
    ['strictly: GitLab', strict, https('registry.gitlab.com'), 'https://gitlab.com/jwt/auth', true, true],
    ['strictly: a name that begins alike', strict, https('reg.test'), 'https://sso.test.evil.test/', true, false],
  ];
  for (const [name, rules, endpoint, realm, hasLogin, expected] of cases) {
    it(`${expected ? 'allows' : 'refuses'} ${name}`, () =>
      assert.equal(mayAskRealm(rules, endpoint, new URL(realm), hasLogin), expected));
  }
});
