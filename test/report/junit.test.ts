import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatJunit } from '../../webhook/report/junit.ts';
import { anyResults, DENIED, PULLABLE, SKIPPED, WARNED } from './results.ts';
import { readXml } from './xml-reader.ts';

describe('the JUnit output', () => {
  it('is a suite for each object and a case for each image', () => {
    const root = readXml(formatJunit([PULLABLE, DENIED, WARNED, SKIPPED]));

    assert.equal(root.name, 'testsuites');
    assert.deepEqual(
      root.children.map((suite) => [...suite.attributes].slice(0, 5)),
      [
        [
          ['name', 'nginx:1.29'],
          ['tests', '1'],
          ['failures', '0'],
          ['errors', '0'],
          ['skipped', '0'],
        ],
        [
          ['name', 'Deployment/shop/web'],
          ['tests', '3'],
          ['failures', '1'],
          ['errors', '0'],
          ['skipped', '1'],
        ],
      ],
    );
    assert.equal(root.attributes.get('tests'), '4');
    assert.equal(root.attributes.get('time'), '0.164');
  });

  it('fails a case for a refusal, with cause, evidence and remedy', () => {
    const testCase = readXml(formatJunit([DENIED])).children[0]?.children[0];
    const failure = testCase?.children[0];

    assert.equal(testCase?.attributes.get('name'), 'container "web" reg.example:5000/team/app:1');
    assert.equal(testCase.attributes.get('file'), 'deploy/web.yaml');
    assert.equal(failure?.name, 'failure');
    assert.equal(failure.attributes.get('type'), 'tag-not-found');
    assert.equal(failure.attributes.get('message'), 'tag "1" does not exist in the registry');
    assert.match(failure.text, /answered 404 MANIFEST_UNKNOWN as pull secret "ci"\nPush the tag/u);
  });

  it('prints a warning, marks what was skipped, and is silent about success', () => {
    const cases = [WARNED, SKIPPED, PULLABLE].map(
      (one) => readXml(formatJunit([one])).children[0]?.children[0]?.children,
    );

    assert.deepEqual(
      cases.map((children) => children?.map((child) => child.name)),
      [['system-out'], ['skipped'], []],
    );
    assert.match(cases[0]?.[0]?.text ?? '', /^WARNING: init container "migrate", .*\nPull secret "ci" does not exist/u);
  });

  it('is well-formed XML in ASCII with every image in it, for any names', () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        const text = formatJunit(results);
        const root = readXml(text);

        assert.match(text, /^[\x20-\x7e\n]*$/u);
        const cases = root.children.flatMap((suite) => suite.children);
        const failures = cases.filter((one) => one.children.some((child) => child.name === 'failure'));
        assert.equal(cases.length, results.length);
        assert.equal(String(failures.length), root.attributes.get('failures'));
      }),
      { numRuns: 150 },
    );
  });
});

describe('the reader that the tests use', () => {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  for (const broken of [
    '<a>',
    '<a></b>',
    '<a b="<"/>',
    '<a b="1" b="2"/>',
    '<a>&nope;</a>',
    '<a/>x',
    '<a>\u0001</a>',
    '<a>></a>',
  ]) {
    it(`refuses ${JSON.stringify(broken)}`, () => {
      assert.throws(() => readXml(`${head}${broken}`));
    });
  }
});
