import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { inspectSecrets, nearMisses, oddLogins } from '../../webhook/credentials/inspect.ts';
import { showKey } from '../../webhook/credentials/shown-key.ts';
import { credentialsFrom, imageOf, legacySecretWith, secretFor, secretWith } from './pull-secrets.ts';
import { anyText } from '../support/any-text.ts';

describe('inspectSecrets', () => {
  const image = imageOf('reg.io/team/app');

  it('finds a secret of a type that the kubelet does not read', () => {
    const secret = { ...secretFor(['reg.io'], 'ci'), type: 'Opaque' };

    assert.deepEqual(inspectSecrets([secret], image), [
      { kind: 'pull-secret-wrong-type', secret: 'ci', type: 'Opaque' },
    ]);
  });

  it('finds the right type with nothing under its own key', () => {
    const newer = { ...secretWith(''), name: 'newer' };
    const older = { ...secretFor(['reg.io'], 'older'), type: 'kubernetes.io/dockercfg' };

    assert.deepEqual(inspectSecrets([newer, older], image), [
      { kind: 'pull-secret-empty', secret: 'newer', key: '.dockerconfigjson' },
      { kind: 'pull-secret-empty', secret: 'older', key: '.dockercfg' },
    ]);
  });

  const TOKEN = 'eyJhbGciOi';
  const tokens: readonly (readonly [title: string, entry: object, field: string | undefined])[] = [
    ['az acr login', { auth: 'MDAwMDo=', identitytoken: TOKEN }, 'identitytoken'],
    ['a token alone', { identitytoken: TOKEN }, 'identitytoken'],
    ['a token in another spelling', { IdentityToken: TOKEN }, 'identitytoken'],
    ['a registry token', { registrytoken: TOKEN }, 'registrytoken'],
    ['a token beside a password', { username: 'u', password: 'p', identitytoken: TOKEN }, undefined],
    ['an empty token', { identitytoken: '' }, undefined],
    ['no token', {}, undefined],
  ];
  for (const [title, entry, field] of tokens) {
    it(`${field === undefined ? 'passes over' : 'finds'} what ${title} leaves`, () => {
      const secret = secretWith(JSON.stringify({ auths: { 'https://reg.io': entry, 'other.io': entry } }), 'ci');
      const expected = { kind: 'pull-secret-token-only', secret: 'ci', entry: 'https://reg.io', field };

      assert.deepEqual(inspectSecrets([secret], image), field === undefined ? [] : [expected]);
    });
  }

  it('says nothing of sound secrets, of malformed ones and of none', () => {
    assert.deepEqual(inspectSecrets([], image), []);
    assert.deepEqual(inspectSecrets([secretFor(['reg.io', 'other.io']), legacySecretWith('{}')], image), []);
    assert.deepEqual(inspectSecrets([secretWith('{'), secretWith('{"auths":{"reg.io":{"auth":"!"}}}')], image), []);
  });
});

describe('oddLogins', () => {
  const rows: readonly (readonly [title: string, entry: object, reason: string | undefined])[] = [
    ['a credential store', {}, 'no-login'],
    ['echo', { auth: Buffer.from('u:p\n').toString('base64') }, 'white-space'],
    ['a user name that was pasted', { username: ' u', password: 'p' }, 'white-space'],
    ['a password with a blank inside', { username: 'u', password: 'p q' }, undefined],
    ['a token, which is told already', { identitytoken: 'eyJhbGciOi' }, undefined],
  ];
  for (const [title, entry, reason] of rows) {
    it(`${reason === undefined ? 'pass over' : 'tell'} what comes of ${title}`, () => {
      const secret = secretWith(JSON.stringify({ auths: { 'reg.io': entry, 'other.io': {} } }), 'ci');
      const expected = { kind: 'pull-secret-odd-login', secret: 'ci', entry: 'reg.io', reason };

      assert.deepEqual(oddLogins([secret], imageOf('reg.io/team/app')), reason === undefined ? [] : [expected]);
    });
  }
});

describe('nearMisses', () => {
  const rows: readonly (readonly [image: string, key: string, reason: string])[] = [
    ['reg.io/team/app', 'reg.io:443', "it has the port :443 and the image's name has none"],
    ['reg.io:5000/team/app', 'reg.io', 'it lacks the port :5000'],
    ['reg.io:5000/team/app', 'https://reg.io:5001', 'its port is :5001 and not :5000'],
    ['[::1]:5000/app', '[::1]:5001', 'its port is :5001 and not :5000'],
    ['reg.io/team/app', 'REG.IO', 'upper and lower case differ'],
    ['MyRegistry:5000/app', 'myregistry:5000', 'upper and lower case differ'],
    ['reg.io/team/app', 'reg.io/Team', 'upper and lower case differ'],
    ['docker.io/library/nginx', 'Docker.io', 'upper and lower case differ'],
    ['reg.io/team/app', 'https://reg.io/v2', '/v2 without a slash after it is taken for a path'],
    ['docker.io/library/nginx', 'https://index.docker.io/v1', '/v1 without a slash after it is taken for a path'],
    [
      'docker.io/library/nginx',
      'registry-1.docker.io',
      'Docker Hub is docker.io or https://index.docker.io/v1/ to the kubelet',
    ],
    [
      'docker.io/me/app',
      'https://hub.docker.com/',
      'Docker Hub is docker.io or https://index.docker.io/v1/ to the kubelet',
    ],
    ['docker.io/me/app', 'hub.docker.io', 'Docker Hub is docker.io or https://index.docker.io/v1/ to the kubelet'],
    ['docker.io/me/app', 'docker.io:443', "it has the port :443 and the image's name has none"],
    [
      'registry-1.docker.io/library/nginx',
      'docker.io',
      'the image names registry-1.docker.io, which is not Docker Hub to the kubelet',
    ],
    [
      'registry-1.docker.io/library/nginx',
      'https://index.docker.io/v1/',
      'the image names registry-1.docker.io, which is not Docker Hub to the kubelet',
    ],
    ['reg.io/team/app', '*.reg.io', "a wildcard stands for one label: it has 3 of them, the image's registry 2"],
    ['reg.io/team/app', '*', "a wildcard stands for one label: it has 1 of them, the image's registry 2"],
    ['a.b.example.com/x', '*.example.com', "a wildcard stands for one label: it has 3 of them, the image's registry 4"],
    [
      'docker.io/library/nginx',
      '*.docker.io',
      "a wildcard stands for one label: it has 3 of them, the image's registry 2",
    ],
    ['reg.io/team/app', 'reg.io/other', 'the repository team/app does not begin with its path'],
    ['docker.io/library/nginx', 'docker.io/me/', 'the repository library/nginx does not begin with its path'],
    ['reg.io/team/app', 'reg.io/*', 'a wildcard means nothing in a path'],
    ['reg.io/team/app', 'reg.io/team/*', 'a wildcard means nothing in a path'],
    ['reg.io/team/app', 'reg.io/team/app:1.0', 'it has a tag or digest, and keys name repositories only'],
    [
      'reg.io/team/app',
      `reg.io/team/app@sha256:${'0'.repeat(64)}`,
      'it has a tag or digest, and keys name repositories only',
    ],
    ['reg.io/team/app', 'HTTPS://reg.io', 'HTTPS:// at its beginning is not taken off, only http:// and https:// are'],
    ['reg.io/team/app', 'oci://reg.io/team', 'oci:// at its beginning is not taken off, only http:// and https:// are'],
    ['reg.io/team/app', '//reg.io', '// at its beginning is not taken off, only http:// and https:// are'],
    ['reg.io/team/app', ' reg.io', 'it has white space around it'],
    ['reg.io/team/app', 'reg.io\n', 'it has white space around it'],
    [
      'reg.io/team/app',
      'REG.IO:443',
      "upper and lower case differ, and it has the port :443 and the image's name has none",
    ],
    [
      'reg.io/team/app',
      'HTTPS://reg.io/v2',
      'HTTPS:// at its beginning is not taken off, only http:// and https:// are, and /v2 without a slash after it is taken for a path',
    ],
  ];
  for (const [image, key, reason] of rows) {
    it(`says why ${JSON.stringify(key)} does not match ${image}`, () => {
      assert.deepEqual(credentialsFrom([secretFor([key])], imageOf(image)), []);
      assert.deepEqual(nearMisses([secretFor([key], 'ci')], imageOf(image)), [
        { kind: 'key-nearly-matches', secret: 'ci', entry: showKey(key), image, reason },
      ]);
    });
  }

  it('sees nothing near in keys of other registries and in what is no key', () => {
    const keys = [
      'quay.io',
      'ghcr.io/team',
      'reg.com',
      'xreg.io',
      'reg.io.evil.net',
      '',
      '/',
      '%zz',
      'http://',
      'reg io',
      '*.org',
    ];

    assert.deepEqual(nearMisses([secretFor(keys)], imageOf('reg.io/team/app')), []);
  });

  it('says nothing once one key matches, the Docker Hub key for its fallback too', () => {
    assert.deepEqual(nearMisses([secretFor(['reg.io:443']), secretFor(['*.io'])], imageOf('reg.io/a')), []);
    assert.deepEqual(nearMisses([secretFor(['Docker.io', 'index.docker.io'])], imageOf('docker.io/a/b')), []);
  });

  it('stops at eight, and reads no secret beyond 64 Ki characters', () => {
    const many = Array.from({ length: 300 }, (_, at) => `reg.io/team${at}`);
    const large = secretFor(['reg.io:443', 'x'.repeat(64 * 1024)]);

    assert.equal(nearMisses([secretFor(many)], imageOf('reg.io/a')).length, 8);
    assert.deepEqual(nearMisses([large], imageOf('reg.io/a')), []);
    assert.equal(nearMisses([secretFor(['reg.io:443']), large], imageOf('reg.io/a')).length, 1);
  });

  it('gives away nothing of a login, in whichever part of a secret it stands', () => {
    const SECRET = 'hunter2';
    const around = fc.constantFrom(
      '',
      'reg.io',
      '@reg.io',
      'https://',
      ':',
      '/',
      'HTTPS://u:',
      '?x=',
      '#',
      '@REG.IO:443/v2',
    );
    const member = fc.constantFrom('username', 'password', 'auth', 'identitytoken', 'email');
    const keyOf = fc.constantFrom(
      `https://u:${SECRET}@REG.IO`,
      `u:x/${SECRET}@reg.io:443`,
      `REG.IO?t=${SECRET}`,
      `Reg.io#${SECRET}`,
    );
    fc.assert(
      fc.property(keyOf, around, member, (key, text, name) => {
        const secret = secretWith(JSON.stringify({ auths: { [key]: { [name]: `${text}${SECRET}` } } }));
        const findings = [
          ...nearMisses([secret], imageOf('reg.io/a')),
          ...inspectSecrets([secret], imageOf('reg.io/a')),
        ];

        assert.ok(!JSON.stringify(findings).includes(SECRET), JSON.stringify(findings));
      }),
      { numRuns: 300 },
    );
  });

  it('is never thrown at, and each of its texts is one short printable line', () => {
    const piece = fc.constantFrom(
      'reg.io',
      'REG',
      '*',
      '.',
      ':443',
      '/',
      'v2',
      '@',
      '?',
      '#',
      ' ',
      '\n',
      '[',
      ']',
      '%',
      'https://',
      'é',
      '\u202E',
    );
    const key = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      anyText(),
    );
    fc.assert(
      fc.property(fc.array(key, { maxLength: 5 }), (keys) => {
        for (const finding of nearMisses([secretFor(keys)], imageOf('reg.io:5000/team/app'))) {
          assert.ok(finding.kind === 'key-nearly-matches');
          assert.match(`${finding.entry}${finding.reason}`, /^[\u{20}-\u{7E}]*$/u);
          assert.ok(finding.entry.length <= 120);
        }
      }),
      { numRuns: 500 },
    );
  });
});
