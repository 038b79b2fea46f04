import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { imageNames, matchesGlob, matchesImage } from '../../webhook/policy/match.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('matchesImage', () => {
  const CASES: readonly {
    readonly pattern: string;
    readonly covers: readonly string[];
    readonly leaves: readonly string[];
  }[] = [
    { pattern: '*', covers: ['nginx', 'ghcr.io/a/b/c:1', 'Not An Image'], leaves: [] },
    {
      pattern: 'nginx',
      covers: ['nginx', 'nginx:1.25', `nginx@${DIGEST}`, `nginx:1.25@${DIGEST}`],
      leaves: ['nginx-unprivileged', 'ghcr.io/nginx', 'nginx:5000/app', 'evil.test/nginx'],
    },
    {
      pattern: 'docker.io/library/nginx:1.25',
      covers: ['nginx:1.25', 'library/nginx:1.25', 'index.docker.io/library/nginx:1.25'],
      leaves: ['nginx:1.25.1', 'nginx:1.2', 'nginx'],
    },
    {
      pattern: 'ghcr.io/team',
      covers: ['ghcr.io/team/app', 'ghcr.io/team/sub/app:1', 'ghcr.io/team:1', `ghcr.io/team@${DIGEST}`],
      leaves: [
        'ghcr.io/team-b/app',
        'ghcr.io.evil.test/team/app',
        'evil.test/ghcr.io/team/app',
        'ghcr.io:443/team/app',
      ],
    },
    { pattern: 'ghcr.io/team/', covers: ['ghcr.io/team/app:1'], leaves: ['ghcr.io/team:1', 'ghcr.io/teams/app'] },
    {
      pattern: 'reg.example',
      covers: ['reg.example/app', 'reg.example/a/b:2'],
      leaves: ['reg.example:5000/app', 'reg.example.evil.test/app', 'xreg.example/app'],
    },
    {
      pattern: 'reg.example:5000',
      covers: ['reg.example:5000/app'],
      leaves: ['reg.example:50001/app', 'reg.example/app'],
    },
    { pattern: '[::1]:5000', covers: ['[::1]:5000/app'], leaves: ['[::1]:5001/app'] },
    {
      pattern: '*.example.com/app',
      covers: ['a.example.com/app:1', 'a.b.example.com/app'],
      leaves: [
        'evil.test/x.example.com/app',
        'example.com/app',
        'a.example.com/app-b',
        'a.example.com/x/app',
        'a.example.com:5000/app',
      ],
    },
    {
      pattern: '*.example.com',
      covers: ['a.example.com/app:1', 'a.example.com/x/y'],
      leaves: ['evil.test/a.example.com', 'a.example.com.evil.test/app', 'a.example.com:5000/app', 'example.com/app'],
    },
    {
      pattern: 'ghcr.io/*/app',
      covers: ['ghcr.io/team/app', 'ghcr.io/team/app:1', `ghcr.io/a/b/app@${DIGEST}`],
      leaves: ['ghcr.io/app', 'ghcr.io/team/app-b:1', 'evil.test/ghcr.io/team/app'],
    },
    {
      pattern: 'ghcr.io/*:latest',
      covers: ['ghcr.io/a/b', 'ghcr.io/a:latest'],
      leaves: ['ghcr.io/a:1', `ghcr.io/a:1@${DIGEST}`],
    },
    { pattern: 'nginx:1.*', covers: ['nginx:1.25'], leaves: ['nginx:2.0', 'ghcr.io/nginx:1.25'] },
    { pattern: '*/*', covers: ['nginx', 'ghcr.io/a/b:1'], leaves: [] },
  ];

  for (const { pattern, covers, leaves } of CASES) {
    for (const image of covers) {
      it(`covers ${image.slice(0, 60)} by ${pattern}`, () => {
        assert.equal(matchesImage(pattern, imageNames(image)), true);
      });
    }
    for (const image of leaves) {
      it(`does not cover ${image.slice(0, 60)} by ${pattern}`, () => {
        assert.equal(matchesImage(pattern, imageNames(image)), false);
      });
    }
  }

  it('never lets a star before the first slash reach another host', () => {
    const label = fc.stringMatching(/^[a-z]{1,5}$/u);
    fc.assert(
      fc.property(label, label, fc.array(label, { minLength: 1, maxLength: 3 }), (owner, evil, path) => {
        const image = `${evil}.test/${path.join('/')}/x.${owner}.example/app`;

        assert.equal(matchesImage(`*.${owner}.example/app`, imageNames(image)), false);
        assert.equal(matchesImage(`*.${owner}.example`, imageNames(image)), false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('matchesGlob', () => {
  it('agrees with a regular expression on short texts', () => {
    const piece = fc.constantFrom('a', 'b', '*', '.', '/');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 7 }),
        fc.array(fc.constantFrom('a', 'b', '.', '/'), { maxLength: 9 }),
        (glob, text) => {
          const source = glob
            .map((one) => (one === '*' ? '.*' : `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`))
            .join('');

          assert.equal(matchesGlob(glob.join(''), text.join('')), new RegExp(`^${source}$`, 'su').test(text.join('')));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('does not explode on many stars over a text that fails late', () => {
    assert.equal(matchesGlob(`${'*a'.repeat(250)}*b`, 'a'.repeat(100_000)), false);
  });
});
