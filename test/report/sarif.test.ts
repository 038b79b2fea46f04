import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { FINDING_KINDS } from '../../webhook/outcome/finding.ts';
import { OUTCOME_KINDS } from '../../webhook/outcome/outcome.ts';
import { formatSarif } from '../../webhook/report/sarif.ts';
import { SAMPLES } from '../outcome/samples.ts';
import { anyResults, DENIED, PULLABLE, result, SKIPPED, WARNED } from './results.ts';

type Text = { readonly text: string };
type Sarif = {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: {
          readonly name: string;
          readonly version: string;
          readonly rules: readonly {
            id: string;
            name: string;
            shortDescription: Text;
            fullDescription: Text;
            help: Text;
          }[];
        };
      };
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly message: Text;
        readonly partialFingerprints: Readonly<Record<string, string>>;
        readonly locations: readonly {
          readonly physicalLocation?: { artifactLocation: { uri: string }; region?: { startLine: number } };
          readonly logicalLocations: readonly { fullyQualifiedName: string }[];
        }[];
      }[];
    },
  ];
};
const parse = (text: string): Sarif => JSON.parse(text) as Sarif;
const tool = { version: '1.2.3' };

describe('the SARIF output', () => {
  it('is version 2.1.0 of one tool with a rule for each kind, ids unique, every text there', () => {
    const { $schema, version, runs } = parse(formatSarif([], tool));
    const { driver } = runs[0].tool;

    assert.equal(version, '2.1.0');
    assert.match($schema, /sarif-2\.1\.0\.json$/u);
    assert.deepEqual([driver.name, driver.version], ['pullguard', '1.2.3']);
    assert.deepEqual(
      driver.rules.map((rule) => rule.id),
      [...OUTCOME_KINDS, ...FINDING_KINDS],
    );
    assert.equal(new Set(driver.rules.map((rule) => rule.id)).size, driver.rules.length);
    for (const rule of driver.rules) {
      assert.match(rule.name, /^[A-Z][A-Za-z]+$/u);
      for (const { text } of [rule.shortDescription, rule.fullDescription, rule.help])
        assert.match(text, /^[\x20-\x7e]{8,}$/u);
    }
  });

  it('has levels by action, and says nothing of what is pullable', () => {
    const { results } = parse(formatSarif([PULLABLE, DENIED, WARNED, SKIPPED], tool)).runs[0];

    assert.deepEqual(
      results.map((one) => [one.ruleId, one.level]),
      [
        ['tag-not-found', 'error'],
        ['access-denied', 'warning'],
        ['pull-secret-missing', 'warning'],
        ['not-checked', 'note'],
      ],
    );
  });

  it('names file and line where they are known, and always the object and field', () => {
    const [denied, warned] = parse(formatSarif([DENIED, WARNED], tool)).runs[0].results;

    assert.deepEqual(denied?.locations[0]?.physicalLocation, {
      artifactLocation: { uri: 'deploy/web.yaml' },
      region: { startLine: 12 },
    });
    assert.equal(
      denied.locations[0].logicalLocations[0]?.fullyQualifiedName,
      'Deployment/shop/web/spec.template.spec.containers[0].image',
    );
    assert.equal(warned?.locations[0]?.physicalLocation, undefined);
  });

  const URIS = [
    ['./a b.yaml', 'a%20b.yaml'],
    ['/tmp/x#y.yaml', 'file:///tmp/x%23y.yaml'],
    ['-', undefined],
  ] as const;
  for (const [file, uri] of URIS) {
    it(`writes the file ${file} as ${uri ?? 'no location'}`, () => {
      const [one] = parse(formatSarif([{ ...DENIED, file }], tool)).runs[0].results;

      assert.equal(one?.locations[0]?.physicalLocation?.artifactLocation.uri, uri);
    });
  }

  it('gives a pullable image with a finding the level that the policy gave the finding', () => {
    const finding = { kind: 'mutable-tag', tag: 'latest' } as const;
    const denied = result(SAMPLES.pullable, { action: 'deny', prediction: { findings: [finding] } });
    const { results } = parse(formatSarif([denied], tool)).runs[0];

    assert.deepEqual(
      results.map((one) => [one.ruleId, one.level]),
      [['mutable-tag', 'error']],
    );
  });

  it('keeps the fingerprint of a result when only its numbers change', () => {
    const slower = { ...DENIED, prediction: { ...DENIED.prediction, millis: 9000 }, line: 80 };
    const [a, b] = parse(formatSarif([DENIED, slower], tool)).runs[0].results;

    assert.deepEqual(a?.partialFingerprints, b?.partialFingerprints);
  });

  it('points every result at its own rule, for any names', () => {
    fc.assert(
      fc.property(anyResults, (all) => {
        const { results, tool: used } = parse(formatSarif(all, tool)).runs[0];

        for (const one of results) {
          assert.equal(used.driver.rules[one.ruleIndex]?.id, one.ruleId);
          assert.ok(['error', 'warning', 'note'].includes(one.level));
          assert.match(one.message.text, /^[\x20-\x7e]+$/u);
        }
      }),
      { numRuns: 150 },
    );
  });
});
