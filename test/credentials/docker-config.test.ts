import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { PullSecret } from '../../webhook/credentials/credential.ts';
import { decodePullSecret } from '../../webhook/credentials/docker-config.ts';
import { base64, legacySecretWith, secretWith } from './pull-secrets.ts';
import { anyText } from '../support/any-text.ts';

const entryWith = (members: string): PullSecret => secretWith(`{"auths":{"reg.io":{${members}}}}`);
const authWith = (auth: string): PullSecret => entryWith(`"auth":${JSON.stringify(auth)}`);

/** The one login that a secret gives, as `user|password`. */
function loginOf(secret: PullSecret): string {
  const entries = decodePullSecret(secret);
  assert.ok(entries.ok, JSON.stringify(entries));
  return entries.value.map(({ username, password }) => `${username}|${password}`).join(' ');
}

describe('which secrets count (C3)', () => {
  const text = '{"auths":{"reg.io":{"username":"u","password":"p"}}}';
  const json = 'kubernetes.io/dockerconfigjson';
  const ignored: readonly (readonly [title: string, type: string, data: Record<string, string>])[] = [
    ['an Opaque secret', 'Opaque', { '.dockerconfigjson': text }],
    ['a type in another case', 'kubernetes.io/DockerConfigJson', { '.dockerconfigjson': text }],
    ['a secret without a type', '', { '.dockerconfigjson': text }],
    ['the newer type with the older key', json, { '.dockercfg': text }],
    ['the older type with the newer key', 'kubernetes.io/dockercfg', { '.dockerconfigjson': text }],
    ['a key without its dot', json, { dockerconfigjson: text }],
    ['an empty value', json, { '.dockerconfigjson': '' }],
    ['no data at all', json, {}],
    ['a type that is a name of every object', 'constructor', { '.dockerconfigjson': text }],
  ];
  for (const [title, type, data] of ignored) {
    it(`passes over ${title}`, () => {
      assert.deepEqual(decodePullSecret({ name: 'pull', namespace: 'team', type, data }), { ok: true, value: [] });
    });
  }

  it('reads the newer type below "auths" and the older one without', () => {
    assert.equal(loginOf(secretWith(text)), 'u|p');
    assert.equal(loginOf(legacySecretWith('{"reg.io":{"username":"u","password":"p"}}')), 'u|p');
  });
});

describe('what an entry gives (C5)', () => {
  const logins: readonly (readonly [members: string, login: string])[] = [
    ['"username":"u","password":"p"', 'u|p'],
    ['"Username":"u","PASSWORD":"p"', 'u|p'],
    ['"u\u017fername":"u","pa\u017f\u017fword":"p"', 'u|p'],
    ['"paßword":"p"', '|'],
    [`"auth":"${base64('a:b')}"`, 'a|b'],
    [`"AUTH":"${base64('a:b')}"`, 'a|b'],
    [`"username":"u","auth":"${base64('a:b')}","password":"p"`, 'a|b'],
    [`"auth":"${base64('a:b:c:')}"`, 'a|b:c:'],
    [`"auth":"${base64(':p')}"`, '|p'],
    [`"auth":"${base64(':')}"`, '|'],
    [`"auth":"${base64('zoë:пароль')}"`, 'zoë|пароль'],
    [`"auth":"${base64('a:b\r\n\0')}"`, 'a|b\r\n\0'],
    ['"username":"u","password":"p","auth":""', 'u|p'],
    ['"username":"u","password":"p","auth":null', 'u|p'],
    ['"username":null,"password":"p"', '|p'],
    ['"username":"a","USERNAME":"b"', 'b|'],
    ['"email":"e@reg.io","registrytoken":5,"unknown":{"deep":[]}', '|'],
    ['"username":"00000000-0000-0000-0000-000000000000","identitytoken":"t"', '00000000-0000-0000-0000-000000000000|'],
    ['', '|'],
  ];
  for (const [members, login] of logins) {
    it(`takes ${JSON.stringify(login)} from {${members}}`, () => {
      assert.equal(loginOf(entryWith(members)), login);
    });
  }

  for (const text of ['null', '{}', '{"auths":null}', '{"auths":{}}', '{"HttpHeaders":{"a":"b","c":null}}', ' {} \n']) {
    it(`finds no entry in ${JSON.stringify(text)}, and nothing wrong`, () => {
      assert.deepEqual(decodePullSecret(secretWith(text)), { ok: true, value: [] });
    });
  }

  it('reads what is written twice as often as it is written, as Go does', () => {
    const entry = (key: string, username: string): string => `"${key}":{"username":"${username}"}`;
    const twice = `{"auths":{${entry('a.io', 'a')},${entry('b.io', 'b')}},"auths":{${entry('b.io', 'c')}}}`;

    assert.equal(loginOf(secretWith(twice)), 'a| c|');
    assert.equal(loginOf(secretWith(`{"auths":{${entry('a.io', 'a')}},"auths":null}`)), '');
    assert.equal(loginOf(legacySecretWith(`{${entry('a.io', 'a')},${entry('a.io', 'b')}}`)), 'b|');
    assert.equal(loginOf(entryWith('"username":"a","username":null')), 'a|');
    for (const text of ['{"auths":{"a.io":1},"auths":{}}', '{"auths":{"a.io":{"auth":"x","auth":"?"}}}']) {
      assert.equal(decodePullSecret(secretWith(text)).ok, false, text);
    }
    assert.equal(decodePullSecret(entryWith('"password":true,"password":"p"')).ok, false);
  });

  it('takes an entry of null for an empty one', () => {
    assert.equal(loginOf(secretWith('{"auths":{"reg.io":null}}')), '|');
    assert.equal(loginOf(legacySecretWith('{"reg.io":null}')), '|');
  });

  it('joins what two spellings of "auths" hold, and a null empties it', () => {
    const one = '{"a.io":{"username":"a"}}';
    const two = '{"b.io":{"username":"b"}}';

    assert.equal(loginOf(secretWith(`{"auths":${one},"Auths":${two}}`)), 'a| b|');
    assert.equal(loginOf(secretWith(`{"auths":${one},"AUTHS":null,"Auths":${two}}`)), 'b|');
  });

  it('ignores where the docker CLI would ask a helper', () => {
    assert.equal(loginOf(secretWith('{"credsStore":"desktop","credHelpers":{"reg.io":"ecr-login"},"auths":{}}')), '');
  });
});

describe('what an "auth" may look like (C4)', () => {
  const sound = [
    'dTpw',
    'dTpw\n',
    'dT\r\npw',
    '\ndTpw',
    'dTpwdw==',
    'dTpwdw==\n',
    'dTpwdw=\n=\r\n',
    'dTpwdw',
    'dTpwdw\n',
    'dTpwd3c=',
    'dTpwd3c',
  ];
  for (const auth of sound) {
    it(`takes ${JSON.stringify(auth)}`, () => {
      const plain = Buffer.from(auth, 'base64').toString('utf8').replace(':', '|');
      assert.equal(loginOf(authWith(auth)), plain);
    });
  }

  it('does not mind bits that are left over', () => {
    assert.equal(loginOf(authWith('dTpwdx==')), 'u|pw');
  });

  const AT = 'illegal base64 data at input byte';
  const COLON = 'unable to parse auth field, must be formatted as base64(username:password)';
  const bad: readonly (readonly [auth: string, reason: string])[] = [
    ['!', `${AT} 0`],
    ['u:p', `${AT} 1`],
    ['dTpw ', `${AT} 4`],
    [' dTpw', `${AT} 0`],
    ['dTpwdw== ', `${AT} 8`],
    ['dTpwdw==\t', `${AT} 8`],
    ['dTpwdw==dTpw', `${AT} 6`],
    ['dTpwdw==dTpw=', `${AT} 8`],
    ['dTpwdw=', `${AT} 7`],
    ['dTpwdw=\nx=', `${AT} 7`],
    ['dTpw=', `${AT} 4`],
    ['=', `${AT} 0`],
    ['dTpwd', `${AT} 4`],
    ['dTpw\nd', `${AT} 5`],
    ['dTpwdw\u00a0', `${AT} 6`],
    ['dTp-_w', `${AT} 3`],
    ['dTpw-_==', `${AT} 4`],
    ['ünot', `${AT} 0`],
    ['dTp\u{1F511}', `${AT} 3`],
    [base64('nocolon'), COLON],
    [base64('\0'), COLON],
    ['\n', COLON],
  ];
  for (const [auth, reason] of bad) {
    it(`refuses ${JSON.stringify(auth)}: ${reason}`, () => {
      assert.deepEqual(decodePullSecret(authWith(auth)), { ok: false, error: reason });
    });
  }
});

describe('what is malformed beside that (C4)', () => {
  const SENTENCE = 'json: cannot unmarshal';
  const bad: readonly (readonly [secret: PullSecret, reason: string])[] = [
    [secretWith('{'), 'the value of .dockerconfigjson is not valid JSON'],
    [secretWith(' '), 'the value of .dockerconfigjson is not valid JSON'],
    [secretWith('{"auths":{}} x'), 'the value of .dockerconfigjson is not valid JSON'],
    [secretWith('{"auths":{},}'), 'the value of .dockerconfigjson is not valid JSON'],
    [secretWith("{'auths':{}}"), 'the value of .dockerconfigjson is not valid JSON'],
    [secretWith('{"a":"\n"}'), 'the value of .dockerconfigjson is not valid JSON'],
    [legacySecretWith('auths:'), 'the value of .dockercfg is not valid JSON'],
    [secretWith('\uFEFF{}'), 'the value of .dockerconfigjson starts with a byte order mark, which JSON forbids'],
    [secretWith('[]'), `${SENTENCE} array into Go value of type credentialprovider.DockerConfigJSON`],
    [legacySecretWith('"x"'), `${SENTENCE} string into Go value of type credentialprovider.DockerConfig`],
    [
      secretWith('{"auths":[]}'),
      `${SENTENCE} array into Go struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig`,
    ],
    [
      secretWith('{"auths":{"reg.io":"u:p"}}'),
      `${SENTENCE} string into Go struct field DockerConfigJSON.auths of type credentialprovider.dockerConfigEntryWithAuth`,
    ],
    [
      legacySecretWith('{"auths":{"reg.io":{}},"x":5}'),
      `entry 2 of 2: ${SENTENCE} number into Go value of type credentialprovider.dockerConfigEntryWithAuth`,
    ],
    [
      entryWith('"username":5'),
      `${SENTENCE} number into Go struct field DockerConfigJSON.auths.username of type string`,
    ],
    [
      entryWith('"Password":true'),
      `${SENTENCE} bool into Go struct field DockerConfigJSON.auths.password of type string`,
    ],
    [entryWith('"email":{}'), `${SENTENCE} object into Go struct field DockerConfigJSON.auths.email of type string`],
    [entryWith('"auth":[]'), `${SENTENCE} array into Go struct field DockerConfigJSON.auths.auth of type string`],
    [
      legacySecretWith('{"reg.io":{"auth":1}}'),
      `${SENTENCE} number into Go struct field dockerConfigEntryWithAuth.auth of type string`,
    ],
    [
      secretWith('{"HttpHeaders":[]}'),
      `${SENTENCE} array into Go struct field DockerConfigJSON.HttpHeaders of type map[string]string`,
    ],
    [
      secretWith('{"httpheaders":{"User-Agent":1}}'),
      `${SENTENCE} number into Go struct field DockerConfigJSON.HttpHeaders of type string`,
    ],
  ];
  for (const [secret, reason] of bad) {
    it(`refuses ${Object.values(secret.data).join('')}`, () => {
      assert.deepEqual(decodePullSecret(secret), { ok: false, error: reason });
    });
  }

  it('tells a bad entry among several by its place', () => {
    const text = '{"auths":{"a.io":{},"reg.io":{"auth":"!"},"b.io":{}}}';
    const error = 'entry 2 of 3: illegal base64 data at input byte 0';

    assert.deepEqual(decodePullSecret(secretWith(text)), { ok: false, error });
  });

  it('names a bad entry before a member of the wrong type, as Go does', () => {
    const text = '{"HttpHeaders":[],"auths":{"reg.io":{"auth":"!"}}}';

    assert.deepEqual(decodePullSecret(secretWith(text)), { ok: false, error: 'illegal base64 data at input byte 0' });
  });

  it('reads names of every object as plain data', () => {
    const text = '{"__proto__":{"auths":{}},"auths":{"__proto__":{"username":"a"},"constructor":{"username":"b"}}}';
    const entries = decodePullSecret(secretWith(text));

    assert.ok(entries.ok);
    assert.deepEqual(
      entries.value.map(({ key, username }) => [key, username]),
      [
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ],
    );
    assert.equal(Reflect.get({}, 'username'), undefined);
  });

  it('answers for nesting deeper than any stack', () => {
    const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

    assert.ok(decodePullSecret(secretWith(`{"x":${nested}}`)).ok);
    assert.ok(!decodePullSecret(secretWith(`{"auths":${nested}}`)).ok);
  });
});

describe('any secret', () => {
  const SECRET = 'hunter2-Zm9vYmFy';
  const junk = fc.oneof(fc.string(), anyText(), fc.constantFrom('!', ' ', '\n', ':', '"', '}', ','));

  it('gives a reason without a byte of its content', () => {
    const broken = fc.oneof(
      junk.map((text) => secretWith(`${text}${SECRET}`)),
      junk.map((text) => authWith(`${SECRET}${text}`)),
      junk.map((text) => authWith(base64(`${SECRET}${text.replaceAll(':', '')}`))),
      junk.map((text) => entryWith(`"password":[${JSON.stringify(text + SECRET)}]`)),
      junk.map((text) => secretWith(`{"auths":{${JSON.stringify(text + SECRET)}:5}}`)),
      junk.map((text) => secretWith(`{"auths":{"reg.io":{"auth":"${SECRET}"}}}${text}x`)),
    );
    fc.assert(
      fc.property(broken, (secret) => {
        const entries = decodePullSecret(secret);
        if (entries.ok) return;
        assert.ok(!/hunter2|Zm9v|aHVudGVy/u.test(entries.error), entries.error);
        assert.match(entries.error, /^[\u{20}-\u{7E}]+$/u);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back what was put into "auth", however its lines are broken', () => {
    const login = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(login, fc.nat(40), fc.boolean(), ([username, password], breakAt, isPadded) => {
        const user = username.replaceAll(':', '');
        const encoded = isPadded ? base64(`${user}:${password}`) : base64(`${user}:${password}`).replace(/=+$/u, '');
        const auth = `${encoded.slice(0, breakAt)}\r\n${encoded.slice(breakAt)}\n`;

        assert.equal(loginOf(authWith(auth)), `${user}|${password}`);
      }),
      { numRuns: 500 },
    );
  });

  it('is never thrown at, whatever its JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (one, two) => {
        for (const text of [
          one,
          `{"auths":${one}}`,
          `{"auths":{"a":${one},"b":${two}}}`,
          `{"auths":{"a":{"auth":${one}}}}`,
        ]) {
          assert.equal(typeof decodePullSecret(secretWith(text)).ok, 'boolean');
          assert.equal(typeof decodePullSecret(legacySecretWith(text)).ok, 'boolean');
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a very long secret', () => {
  const entry = '{"username":"u","password":"p"}';
  const secrets: readonly (readonly [name: string, text: string])[] = [
    ['brackets', '['.repeat(400_000)],
    ['an open string', `{"auths":{"${'a'.repeat(400_000)}`],
    ['backslashes', `{"auths":{"a":{"auth":"${'\\\\'.repeat(200_000)}"}}}`],
    ['base64 without an end', `{"auths":{"a":{"auth":"${'QUFB'.repeat(100_000)}"}}}`],
    ['base64 in many lines', `{"auths":{"a":{"auth":"${'QUFB\\n'.repeat(60_000)}Og=="}}}`],
    ['colons', `{"auths":{"a":{"auth":"${Buffer.from(':'.repeat(300_000)).toString('base64')}"}}}`],
    ['equals signs', `{"auths":{"a":{"auth":"${'='.repeat(400_000)}"}}}`],
    ['entries', `{"auths":{${Array.from({ length: 10_000 }, (_, at) => `"reg-${at}.io":${entry}`).join()}}}`],
    ['one key many times', `{"auths":{${Array.from({ length: 10_000 }, () => `"reg.io":${entry}`).join()}}}`],
    ['a long key', `{"auths":{"https://${'a.'.repeat(200_000)}":${entry}}}`],
    ['slashes in a key', `{"auths":{"https://${'/'.repeat(400_000)}":${entry}}}`],
  ];
  for (const [name, text] of secrets) {
    it(`is read in time linear enough: ${name}`, { timeout: 20_000 }, () => {
      assert.equal(typeof decodePullSecret(secretWith(text)).ok, 'boolean');
      assert.equal(typeof decodePullSecret(legacySecretWith(text)).ok, 'boolean');
    });
  }
});
