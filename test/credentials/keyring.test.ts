import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createKeyring } from '../../webhook/credentials/keyring.ts';
import { base64, credentialsFrom, imageOf, legacySecretWith, secretFor, secretWith } from './pull-secrets.ts';

/** The keys that a keyring tries, in their order. */
const keysFor = (keys: readonly string[], image: string): readonly string[] =>
  credentialsFrom([secretFor(keys)], imageOf(image)).map(({ password }) => password);

describe('the order of the keyring (C8)', () => {
  it('is the reverse of the keys sorted, the more specific path first', () => {
    const keys = ['*.io', 'reg.io', 'reg.io/team', 'reg.io/team/app', 'r*.io', 'reg.io/te'];

    assert.deepEqual(keysFor(keys, 'reg.io/team/app'), [
      'reg.io/team/app',
      'reg.io/team',
      'reg.io/te',
      'reg.io',
      'r*.io',
      '*.io',
    ]);
  });

  it('compares keys without scheme, userinfo and version', () => {
    const keys = ['https://u:p@reg.io/v2/', 'http://reg.io/team', 'zzz@reg.io/v1/team/app'];

    assert.deepEqual(keysFor(keys, 'reg.io/team/app'), [
      'zzz@reg.io/v1/team/app',
      'http://reg.io/team',
      'https://u:p@reg.io/v2/',
    ]);
  });

  it('asks the secrets in their own order only within one key, and the same login twice', () => {
    const secrets = [
      secretFor(['reg.io'], 'first'),
      secretFor(['reg.io/team', 'reg.io'], 'second'),
      secretFor(['https://reg.io'], 'third'),
    ];
    const tried = credentialsFrom([...secrets, secretFor(['reg.io'], 'first')], imageOf('reg.io/team/app'));

    assert.deepEqual(
      tried.map(({ secret, key }) => `${secret} ${key}`),
      ['second reg.io/team', 'first reg.io', 'second reg.io', 'third https://reg.io', 'first reg.io'],
    );
  });

  it('joins secrets of both types', () => {
    const secrets = [
      legacySecretWith('{"reg.io":{"username":"old"}}'),
      secretWith('{"auths":{"reg.io":{"username":"new"}}}'),
    ];

    assert.deepEqual(
      credentialsFrom(secrets, imageOf('reg.io/a')).map(({ username }) => username),
      ['old', 'new'],
    );
  });

  it("gives all that match, however many: the limit is the caller's", () => {
    const secrets = Array.from({ length: 50 }, (_, at) => secretFor(['reg.io'], `s${at}`));

    assert.deepEqual(
      credentialsFrom(secrets, imageOf('reg.io/a')).map(({ username }) => username),
      secrets.map(({ name }) => name),
    );
  });
});

describe('the Docker Hub key (C7)', () => {
  it('is used where nothing else matches, and only there', () => {
    const hub = 'https://index.docker.io/v1/';

    assert.deepEqual(keysFor([hub, 'docker.io'], 'docker.io/library/nginx'), ['docker.io']);
    assert.deepEqual(keysFor([hub, 'docker.io/me'], 'docker.io/library/nginx'), [hub]);
    assert.deepEqual(keysFor([hub, 'index.docker.io'], 'docker.io/library/nginx'), [hub, 'index.docker.io']);
    assert.deepEqual(keysFor([hub], 'localhost/x'), [hub]);
    assert.deepEqual(keysFor([hub], 'MyRegistry/x'), [hub]);
    assert.deepEqual(keysFor([hub, '*'], 'localhost/x'), ['*']);
  });

  it('goes nowhere else', () => {
    for (const image of ['reg.io/x', 'localhost:5000/x', 'docker.io.attacker.net/x', '[::1]/x', '[abcd]:80/x']) {
      assert.deepEqual(keysFor(['https://index.docker.io/v1/', 'index.docker.io'], image), [], image);
    }
  });
});

describe('createKeyring', () => {
  it('fails for one malformed entry in any secret, and names the secret (C4)', () => {
    const good = secretFor(['reg.io'], 'good');
    const bad = secretWith('{"auths":{"elsewhere.io":{"auth":"!"}}}', 'bad');

    for (const secrets of [[bad], [good, bad], [bad, good]]) {
      const error = { secret: 'bad', reason: 'illegal base64 data at input byte 0' };
      assert.deepEqual(createKeyring(secrets), { ok: false, error });
    }
  });

  it('does not mind a malformed secret of a type that nobody reads', () => {
    const opaque = { name: 'x', namespace: 'team', type: 'Opaque', data: { '.dockerconfigjson': '{' } };

    assert.deepEqual(credentialsFrom([opaque], imageOf('reg.io/a')), []);
    assert.deepEqual(credentialsFrom([], imageOf('docker.io/library/nginx')), []);
  });

  it('drops a key that is no URL and keeps the rest', () => {
    assert.deepEqual(keysFor(['reg io', 'reg.io:port', '%zz', '[reg.io', 'reg.io'], 'reg.io/a'), ['reg.io']);
  });

  it('gives an empty entry as a login without a name, which is an anonymous pull (C9)', () => {
    const secrets = [secretWith('{"auths":{"reg.io":{},"https://reg.io":null}}')];

    assert.deepEqual(
      credentialsFrom(secrets, imageOf('reg.io/a')).map(({ username, password }) => username + password),
      ['', ''],
    );
  });

  it('shows a key without the login that may stand in it', () => {
    const keys = [
      'https://user:hunter2@reg.io/v2/',
      'user:hun/ter2@reg.io',
      'https://user:pass@hunter2@reg.io/v2/',
      'reg.io?token=hunter2',
      'reg.io#hunter2',
      'reg.io',
    ];
    const shown = credentialsFrom([secretFor(keys)], imageOf('reg.io/a')).map(({ key }) => key);

    assert.ok(!/hunter2|user/u.test(shown.join(' ')), shown.join(' '));
    assert.deepEqual(new Set(shown), new Set(['https://...@reg.io/v2/', 'reg.io']));
  });

  it('takes names of every object for keys like any other', () => {
    const text =
      '{"auths":{"__proto__":{"username":"a"},"constructor":{"username":"b"},"hasOwnProperty":{"username":"c"}}}';
    for (const [host, username] of [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['hasOwnProperty', 'c'],
    ] as const) {
      assert.deepEqual(
        credentialsFrom([secretWith(text)], { host, path: 'x' }).map((one) => one.username),
        [username],
      );
    }
    assert.deepEqual(credentialsFrom([secretWith(text)], imageOf('toString/x')), []);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  it('holds a secret as large as secrets get', () => {
    const keys = Array.from({ length: 30_000 }, (_, at) => `*${at}.reg.io/team`);
    const text = JSON.stringify({ auths: Object.fromEntries([...keys, 'reg.io'].map((key) => [key, {}])) });

    assert.equal(credentialsFrom([secretWith(text)], imageOf('reg.io/a')).length, 1);
    assert.equal(credentialsFrom([secretWith(text)], imageOf('x29999.reg.io/team/a')).length, 4 + 1);
  });

  it('keeps what a header could not carry for the transport to judge', () => {
    const login = `a:${'p'.repeat(64 * 1024)}\r\n\0`;
    const [credential] = credentialsFrom(
      [secretWith(JSON.stringify({ auths: { 'reg.io': { auth: base64(login) } } }))],
      imageOf('reg.io/a'),
    );

    assert.equal(`${credential?.username}:${credential?.password}`, login);
  });
});

/** An oracle of its own for plain keys: the pattern as one regular expression over the whole name. */
function oracle(key: string, image: string): boolean {
  const bare = key.replace(/^https?:\/\//u, '').replace(/^[^/]*@/u, '');
  const slash = bare.indexOf('/');
  const [host, rest] = slash < 0 ? [bare, ''] : [bare.slice(0, slash), bare.slice(slash)];
  const path = rest.replace(/^\/v[12](?=\/)/u, '').replace(/^\/$/u, '');
  const [name = '', port] = host.split(':');
  const labels = name.split('.').map((label) => label.replaceAll(/[^*\w-]/gu, '').replaceAll('*', '[^.:/]*'));
  const full = `${labels.join('[.]')}${port === undefined || port === '' ? '' : `:${port}`}`;
  const start = image.indexOf('/');
  return new RegExp(`^${full}$`, 'u').test(image.slice(0, start)) && image.slice(start).startsWith(path);
}

const hostOf = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(part, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));

describe('any secrets and any image', () => {
  const label = fc.constantFrom('reg', 'io', 'corp', 'example', 'attacker', 'net', 'a', 'REG', 'localhost');
  const pattern = fc.oneof(label, fc.constantFrom('*', 'r*', '*g', 'c*p', '*a*'));
  const port = fc.constantFrom('', '', ':5000', ':443', ':');
  const imagePath = fc.constantFrom('team/app', 'team-ab/x', 'a', 'v2/x', 'corp.example/x', 'library/nginx');
  const image = fc
    .tuple(hostOf(label), fc.constantFrom('', ':5000', ':443'), imagePath)
    .map(([host, portText, path]) => `${host}${portText}/${path}`);
  const key = fc
    .tuple(
      fc.constantFrom('', '', 'https://', 'http://', 'u:p@', 'https://u@'),
      hostOf(pattern),
      port,
      fc.constantFrom('', '/', '/team', '/te', '/team-a', '/v1/', '/v2/', '/v2', '/v2/team', '/team/app:1', '/*'),
    )
    .map((parts) => parts.join(''));

  it('send no login to a host that the oracle rejects, and withhold none from one that it takes', () => {
    let matched = 0;
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 6 }), image, (keys, name) => {
        const tried = keysFor(keys, name);
        matched += tried.length;

        assert.deepEqual(new Set(tried), new Set(keys.filter((one) => oracle(one, name))));
      }),
      { numRuns: 1000 },
    );
    assert.ok(matched > 0, 'the property never saw a match');
  });

  it('send no login to a host that has not one label of the key', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(key, fc.string()), { maxLength: 6 }), (keys) => {
        const literal = keys.filter((one) => !/[*[]/u.test(one));

        assert.deepEqual(keysFor(literal, 'unheard-of.registry.test:6000/a'), []);
      }),
      { numRuns: 500 },
    );
  });

  it('are answered in the same order whichever secret a key came in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 6 }), image, (keys, name) => {
        const together = keysFor(keys, name);
        const apart = credentialsFrom(
          keys.map((one, at) => secretFor([one], `s${at}`)),
          imageOf(name),
        );

        assert.deepEqual(
          apart.map(({ password }) => password),
          together,
        );
      }),
      { numRuns: 300 },
    );
  });
});
