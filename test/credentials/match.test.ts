import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createGlob } from '../../webhook/credentials/glob.ts';
import { matchesImagePattern } from '../../webhook/credentials/match.ts';
import { isKeyFor } from '../../webhook/credentials/near-miss.ts';
import { imageOf } from './pull-secrets.ts';

type Row = readonly [image: string, matching: readonly string[], others: readonly string[]];

const ROWS: readonly Row[] = [
  // pull-parity C6, left half
  [
    'reg.io/team/app',
    [
      'reg.io',
      'http://reg.io',
      'https://reg.io/',
      'https://reg.io/v1/',
      'https://reg.io/v2/',
      'reg.io/v2/team',
      '*.io',
      'r*.io',
      '*.*',
      'reg.io/team',
      'reg.io/team/',
      'reg.io/te',
      'reg.io/team/app',
      'reg.io/v1/team/app',
      'user:pw@reg.io',
      'https://a@b@reg.io/te',
      'reg.io?x=1',
      'reg.io/team#part',
      'reg.io:',
      'reg.io/te%61m',
      'reg.io/te%3Fx',
      'r[a-f]g.io',
    ],
    [
      'https://reg.io/v2',
      'reg.io/v1',
      'reg.io:443',
      'reg.io:80',
      'REG.IO',
      'HTTPS://reg.io',
      'Https://reg.io',
      '*',
      '*.*.io',
      '*.reg.io',
      'reg.io/*',
      'reg.io/team/app:1.0',
      'reg.io/team/app@sha256:0',
      ' reg.io',
      'reg.io ',
      'reg.io\n',
      '[reg.io',
      '[r]eg.io',
      'r[x]g.io',
      'r[^x]g.io',
      'r[eg.io',
      'r[].io',
      'r?g.io',
      String.raw`r\eg.io`,
      'reg.io/team/app/',
      'reg.io/Team',
      'reg.io//team',
      'reg.io/%zz',
      'reg.io#%zz',
      'r%65g.io',
      'reg.io:port',
      'reg.io:1:2',
      'u ser@reg.io',
      'reg',
      'io',
      'reg.io.',
      '.reg.io',
      'xreg.io',
      'reg.iox',
      'docker://reg.io',
      '//reg.io',
      '/reg.io',
      'https://https://reg.io',
      'https://index.docker.io/v1/',
      '',
      '/',
      'https://',
    ],
  ],
  // pull-parity C6, right half
  [
    'docker.io/library/nginx',
    [
      'https://index.docker.io/v1/',
      'index.docker.io',
      'https://index.docker.io/v2/',
      'docker.io',
      'https://docker.io/v2/',
      'docker.io/library',
      'docker.*',
      '*.io',
    ],
    [
      'https://index.docker.io/v1',
      'docker.io:443',
      'Docker.io',
      'registry-1.docker.io',
      'hub.docker.io',
      'hub.docker.com',
      '*.docker.io',
      'docker.io/me/',
      'index.docker.io/library',
      'index.docker.io:443',
      'docker.com',
    ],
  ],
  ['docker.io/me/app', ['docker.io/me/', 'docker.io/m', 'index.docker.io'], ['docker.io/library', 'docker.io/you']],
  // ports are compared as text, and a bracketed address without a port is a class of one character to the glob
  ['reg.io:5000/app', ['reg.io:5000', '*.io:5000', 'https://reg.io:5000/v2/'], ['reg.io', 'reg.io:05000', 'reg.io:*']],
  ['reg.io:443/app', ['reg.io:443'], ['reg.io', 'https://reg.io']],
  ['[::1]:5000/app', ['[::1]:5000', 'https://[::1]:5000/v2/'], ['[::1]', '[::1]:5001', '[0::1]:5000', '*:5000x']],
  ['[2001:db8::1]/app', [], ['[2001:db8::1]', '2001:db8::1', '[2001:db8::1]:443']],
  // what the grammar takes for an address and no URL does
  ['[abcd]:80/x', [], ['[abcd]:80']],
  // the Docker Hub key stands in for whatever has neither dot nor colon
  ['localhost/x', ['localhost', '*', 'index.docker.io'], ['docker.io', 'localhost:5000']],
  ['MyRegistry/x', ['MyRegistry', '*', 'https://index.docker.io/v1/'], ['myregistry', 'docker.io']],
  ['registry-1.docker.io/library/nginx', ['registry-1.docker.io', '*.docker.io'], ['docker.io', 'index.docker.io']],
  // security bar A25
  ['a.b.example.com/x', ['*.b.example.com', '*.*.example.com'], ['*.example.com', 'b.example.com']],
  ['example.com/x', ['example.com'], ['*.example.com', 'EXAMPLE.com', 'example.com:5000']],
  ['a.example.com:5000/x', ['*.example.com:5000'], ['*.example.com', '*.Example.com:5000']],
  // security bar A26: a path is the beginning of a text, not of a list of names
  ['reg.io/team-ab/x', ['reg.io/team-a', 'reg.io/team-ab'], ['reg.io/team-a/']],
];

describe('keys of a docker config', () => {
  for (const [image, matching, others] of ROWS) {
    for (const key of matching) {
      it(`has ${JSON.stringify(key)} match ${image}`, () => assert.ok(isKeyFor(key, imageOf(image))));
    }
    for (const key of others) {
      it(`has ${JSON.stringify(key)} not match ${image}`, () => assert.ok(!isKeyFor(key, imageOf(image))));
    }
  }

  it('gives no key to a host that only looks like the right one (A24)', () => {
    const keys = ['corp.example', 'https://corp.example/v2/', '*.example', 'corp.*', 'corp.example/'];
    const images = [
      'corp.example.attacker.net/x',
      'corp.example:9999/x',
      'attacker.net/corp.example/x',
      'docker.io/corp.example/x',
      'corp-example/x',
      'xcorp.example.net/x',
      'CORP.Example/x',
      'corp.example.:443/x',
    ];
    for (const image of images) {
      for (const key of keys) assert.ok(!isKeyFor(key, imageOf(image)), `${key} for ${image}`);
    }
    assert.ok(!isKeyFor('corp.example', imageOf('xcorp.example/x')));
    assert.ok(!isKeyFor('corp.example', imageOf('CORP.example/x')));
  });
});

describe('matchesImagePattern', () => {
  const rows: readonly (readonly [pattern: string, image: string, isCovered: boolean])[] = [
    ['*.dkr.ecr.*.amazonaws.com', '123456789.dkr.ecr.eu-west-1.amazonaws.com/app', true],
    ['*.dkr.ecr.*.amazonaws.com.cn', '123456789.dkr.ecr.cn-north-1.amazonaws.com/app', false],
    ['*.dkr.ecr.*.amazonaws.com', 'dkr.ecr.eu-west-1.amazonaws.com/app', false],
    ['*.azurecr.io', 'team.azurecr.io/app', true],
    ['*.pkg.dev', 'europe-docker.pkg.dev/project/app', true],
    ['gcr.io', 'gcr.io/project/app', true],
    ['*.gcr.io', 'gcr.io/project/app', false],
    ['registry.io:8080/path', 'registry.io:8080/path/app', true],
    ['registry.io:8080/path', 'registry.io/path/app', false],
    ['docker.io', 'docker.io/library/nginx', true],
    ['index.docker.io', 'docker.io/library/nginx', false],
    ['https://reg.io', 'reg.io/app', false],
    ['reg.io/v2/', 'reg.io/app', false],
    ['[', 'reg.io/app', false],
    ['', 'reg.io/app', false],
  ];
  for (const [pattern, image, isCovered] of rows) {
    it(`has ${JSON.stringify(pattern)} ${isCovered ? 'cover' : 'leave out'} ${image}`, () => {
      assert.equal(matchesImagePattern(pattern, imageOf(image)), isCovered);
    });
  }
});

describe('createGlob', () => {
  const rows: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
    ['abc', ['abc'], ['ab', 'abcd', 'ABC', '']],
    ['', [''], ['a']],
    ['*', ['', 'a', 'abc'], []],
    ['a*', ['a', 'abc'], ['ba', '']],
    ['*c', ['c', 'abc'], ['cb']],
    ['a*b*c', ['abc', 'aXbXc', 'abbcc'], ['ac', 'acb', 'abcd']],
    ['a**c', ['ac', 'abc'], ['a']],
    ['?', ['a', 'é'], ['', 'ab']],
    ['a?c', ['abc'], ['ac']],
    ['[abc]', ['a', 'c'], ['d', 'ab', '']],
    ['[a-c]x', ['bx'], ['dx', '-x']],
    ['[^a-c]', ['d'], ['a']],
    ['[a*]b', ['ab', '*b'], ['xb']],
    [String.raw`\*`, ['*'], ['a']],
    [String.raw`[\]]`, [']'], ['a']],
    ['[', [], ['[', 'a']],
    ['[]a]', [], [']', 'a']],
    ['[-x]', [], ['-', 'x']],
    ['[x-]', [], ['-', 'x']],
    ['[a', [], ['a', '[a']],
    ['[a-', [], ['a']],
    ['a[', [], ['a', 'a[']],
    ['\\', [], ['\\', '']],
    ['a]', ['a]'], ['a']],
  ];
  for (const [pattern, matching, others] of rows) {
    it(`reads ${JSON.stringify(pattern)} as filepath.Match does`, () => {
      const glob = createGlob(pattern);

      assert.deepEqual(
        matching.map(glob),
        matching.map(() => true),
      );
      assert.deepEqual(
        others.map(glob),
        others.map(() => false),
      );
    });
  }

  it('does not go back over what it has matched', () => {
    const glob = createGlob(`${'*a'.repeat(60)}*b`);

    assert.equal(glob('a'.repeat(253)), false);
    assert.equal(glob(`${'a'.repeat(252)}b`), true);
    assert.equal(createGlob('*a'.repeat(500_000))('a'.repeat(63)), false);
  });

  it('agrees with the same pattern as a regular expression', () => {
    const piece = fc.constantFrom('*', '?', 'a', 'b', 'ab', '[ab]', '[^b]');
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), text, (pieces, name) => {
        const source = pieces.map((one) => one.replace('*', '.*').replace('?', '.')).join('');
        assert.equal(createGlob(pieces.join(''))(name), new RegExp(`^${source}$`, 'u').test(name));
      }),
      { numRuns: 1000 },
    );
  });
});
