import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { ClientStyle } from '../../webhook/registry/token.ts';
import { parseChallenges } from '../../webhook/registry/challenge.ts';

const read = (...headers: readonly string[]): unknown =>
  parseChallenges(headers, 'containerd').map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('reading WWW-Authenticate', () => {
  const cases: readonly (readonly [string, readonly string[], unknown])[] = [
    ['nothing', [], []],
    ['an empty header', [''], []],
    ['a scheme alone', ['Basic'], [['basic', {}]]],
    ['a realm in quotes', ['Basic realm="a b"'], [['basic', { realm: 'a b' }]]],
    ['any case of scheme and names', ['bEaReR REALM="x"'], [['bearer', { realm: 'x' }]]],
    ['values without quotes', ['Bearer realm=x,service=y'], [['bearer', { realm: 'x', service: 'y' }]]],
    ['spaces around a comma', ['Bearer realm="x" , service="y"'], [['bearer', { realm: 'x', service: 'y' }]]],
    ['nothing from a space before = on', ['Bearer service="y", realm = "x"'], [['bearer', { service: 'y' }]]],
    ['nothing after a missing comma', ['Bearer realm="x" service="y"'], [['bearer', { realm: 'x' }]]],
    ['nothing after two commas', ['Bearer realm="x",,service="y"'], [['bearer', { realm: 'x' }]]],
    ['nothing after a value that is no token', ['Bearer realm=https://x,service=y'], [['bearer', { realm: 'https' }]]],
    ['a comma in quotes', ['Bearer scope="repository:a:pull,push"'], [['bearer', { scope: 'repository:a:pull,push' }]]],
    ['escapes in quotes', [String.raw`Basic realm="a\"b\\c"`], [['basic', { realm: String.raw`a"b\c` }]]],
    ['a quote that never ends', ['Bearer realm="x'], [['bearer', { realm: '' }]]],
    ['an escape at the very end', ['Bearer realm="x\\'], [['bearer', { realm: '' }]]],
    ['the last of two equal names', ['Bearer realm="a",realm="b"'], [['bearer', { realm: 'b' }]]],
    [
      'a name that objects have',
      ['Bearer __proto__="a",constructor="b"'],
      [
        [
          'bearer',
          Object.fromEntries([
            ['__proto__', 'a'],
            ['constructor', 'b'],
          ]),
        ],
      ],
    ],
    ['schemes that nobody answers', ['Negotiate', 'Digest realm="x"', 'NTLM abc=='], []],
    [
      'Bearer before Basic',
      ['Basic realm="b"', 'Bearer realm="t"'],
      [
        ['bearer', { realm: 't' }],
        ['basic', { realm: 'b' }],
      ],
    ],
    ['the first of several on one line', ['Basic realm="b", Bearer realm="t"'], [['basic', { realm: 'b' }]]],
    [
      'two of a kind in their order',
      ['Bearer realm="1"', 'Bearer realm="2"'],
      [
        ['bearer', { realm: '1' }],
        ['bearer', { realm: '2' }],
      ],
    ],
    ['an unusable one before a usable one', ['Negotiate', 'Basic realm="b"'], [['basic', { realm: 'b' }]]],
    ['nothing after a leading comma', [', Basic realm="x"'], []],
    ['what is no token', ['\u{1F600} Basic'], []],
  ];
  for (const [name, headers, expected] of cases) {
    it(`reads ${name}`, () => assert.deepEqual(read(...headers), expected));
  }

  it('takes an empty value for one as containerd does, and for the end as dockerd and CRI-O do', () => {
    const header = 'Bearer service="",realm="x"';

    assert.deepEqual(read(header), [['bearer', { service: '', realm: 'x' }]]);
    for (const style of ['docker', 'crio'] as const) {
      assert.equal(parseChallenges([header], style)[0]?.parameters.size, 0, style);
    }
  });

  it('keeps the order of the registry for CRI-O alone', () => {
    const schemes = (style: ClientStyle): readonly string[] =>
      parseChallenges(['Basic realm="b"', 'Bearer realm="t"'], style).map(({ scheme }) => scheme);

    assert.deepEqual(schemes('crio'), ['basic', 'bearer']);
    assert.deepEqual(schemes('docker'), ['bearer', 'basic']);
  });

  it('never reads a realm in part: as much as a header may hold is read whole', () => {
    const realm = `https://token.test/${'a'.repeat(31_000)}`;

    assert.deepEqual(read(`Bearer realm="${realm}"`), [['bearer', { realm }]]);
  });

  it('keeps sixteen of a thousand challenges', () => {
    assert.equal(
      parseChallenges(
        Array.from({ length: 1000 }, () => 'Basic realm="x"'),
        'containerd',
      ).length,
      16,
    );
  });

  it('never throws, and gives back nothing that was not sent', () => {
    const piece = fc.constantFrom(
      'Bearer ',
      'Basic',
      ' realm',
      '=',
      '"',
      ',',
      '\\',
      ' ',
      '\t',
      'x',
      '\u0000',
      'é',
      '__proto__',
    );
    const header = fc.oneof(
      fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes)),
      fc.array(piece, { maxLength: 60 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(fc.array(header, { maxLength: 4 }), (headers) => {
        for (const { scheme, parameters } of parseChallenges(headers, 'containerd')) {
          assert.match(scheme, /^(?:bearer|basic)$/u);
          for (const value of parameters.values()) {
            assert.ok(headers.some((one) => one.replaceAll('\\', '').includes(value.replaceAll('\\', ''))));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads back every parameter that was written in quotes', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/u);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.string()), { selector: ([key]) => key, minLength: 1, maxLength: 6 }),
        (pairs) => {
          const text = pairs
            .map(([key, value]) => `${key}="${value.replaceAll(/["\\]/gu, String.raw`\$&`)}"`)
            .join(', ');

          assert.deepEqual(read(`Bearer ${text}`), [['bearer', Object.fromEntries(pairs)]]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes no more than linear time', () => {
    const probes = ['Bearer realm="', '"\\'.repeat(1), 'a=', ', ', 'Bearer ', 'a="b",'].map((one) =>
      one.repeat(32 * 1024),
    );
    const started = process.cpuUsage();
    for (const probe of [...probes, ...probes, ...probes]) parseChallenges([probe], 'containerd');
    const { user } = process.cpuUsage(started);

    // microseconds: a few thousand each where it is linear, more than a second each where it is not
    assert.ok(user < 5_000_000, `${user} microseconds of CPU`);
  });
});
