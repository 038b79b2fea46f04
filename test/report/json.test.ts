import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { OUTCOME_KINDS } from '../../webhook/outcome/outcome.ts';
import { formatJson } from '../../webhook/report/json.ts';
import { CERTIFICATE, DIGEST, SAMPLES } from '../outcome/samples.ts';
import { anyResults, DENIED, IMAGE, PULLABLE, result, WARNED } from './results.ts';

type Row = Readonly<Record<string, unknown>>;
const rows = (text: string): readonly Row[] => (JSON.parse(text) as { results: Row[] }).results;

const evidenceOf = (row: Row | undefined): Row => (row?.['evidence'] ?? {}) as Row;

describe('the JSON output', () => {
  it('has the documented shape', () => {
    const [row] = rows(formatJson([DENIED]));

    assert.deepEqual(row, {
      object: 'Deployment/shop/web',
      path: 'spec.template.spec.containers[0].image',
      image: IMAGE,
      where: 'container "web"',
      file: 'deploy/web.yaml',
      line: 12,
      outcome: 'tag-not-found',
      conclusive: true,
      doubts: [],
      action: 'deny',
      message:
        `container "web", image ${IMAGE}: tag "1" does not exist in the registry ` +
        '(HEAD https://reg.example:5000/v2/team/app/manifests/1 answered 404 MANIFEST_UNKNOWN as pull secret "ci"). ' +
        'Push the tag, or name one that exists (it has 1.0, 1.1)',
      remedy: 'Push the tag, or name one that exists (it has 1.0, 1.1)',
      findings: [],
      digest: null,
      depth: null,
      evidence: {
        endpoint: 'https://reg.example:5000',
        method: 'HEAD',
        path: '/v2/team/app/manifests/1',
        status: 404,
        code: 'MANIFEST_UNKNOWN',
        askedAs: { by: 'pull-secret', secret: 'ci', key: 'reg.example:5000' },
        tag: '1',
        similarTags: ['1.0', '1.1'],
      },
      requests: 3,
      millis: 41,
    });
  });

  it('gives digest, depth and platforms of what is pullable', () => {
    const [row] = rows(formatJson([PULLABLE]));

    assert.equal(row?.['digest'], DIGEST);
    assert.equal(row?.['depth'], 'graph');
    assert.deepEqual(evidenceOf(row)['platforms'], ['linux/amd64', 'linux/arm64']);
    assert.equal(row?.['remedy'], '');
    assert.ok(!('file' in (row ?? {})));
  });

  it('gives findings with their facts, and doubts by name', () => {
    const [row] = rows(formatJson([WARNED]));

    assert.deepEqual(row?.['doubts'], ['node-credentials']);
    assert.deepEqual(row?.['findings'], [
      {
        kind: 'pull-secret-missing',
        message:
          'Pull secret "ci" does not exist in this namespace: the kubelet pulls without it; create it, or take it out of imagePullSecrets',
        secret: 'ci',
      },
    ]);
  });

  it('says what each endpoint answered, where they do not agree', () => {
    const answers = [
      { endpoint: 'mirror:5000', role: 'mirror', content: 'tag "1"', has: true, answer: 'has it' },
      { endpoint: 'reg:5000', role: 'upstream', content: 'tag "1"', has: false, answer: 'answered 404' },
    ] as const;
    const findings = [{ kind: 'endpoints-disagree', answers }] as const;

    const [row] = rows(formatJson([result(SAMPLES['tag-not-found'], { prediction: { findings } })]));

    assert.deepEqual(evidenceOf(row)['endpoints'], answers);
    const [finding] = (row?.['findings'] ?? []) as readonly Row[];
    assert.deepEqual(finding?.['answers'], answers);
  });

  it('gives the certificate, and the digest of a damaged part as evidence only', () => {
    const [tls, damaged] = rows(formatJson([result(SAMPLES['tls-expired']), result(SAMPLES.damaged)]));

    assert.deepEqual(evidenceOf(tls)['certificate'], CERTIFICATE);
    assert.equal(damaged?.['digest'], null);
    assert.equal(evidenceOf(damaged)['digest'], DIGEST);
  });

  it('keeps the order of the input, one result for each, for every kind', () => {
    const all = OUTCOME_KINDS.map((kind) => result(SAMPLES[kind]));

    assert.deepEqual(
      rows(formatJson(all)).map((row) => row['outcome']),
      OUTCOME_KINDS,
    );
  });

  it('holds no user, query or fragment of an endpoint', () => {
    const sample = SAMPLES['tag-not-found'];
    const evidence = { ...sample.evidence, endpoint: 'https://u:hunter2@reg:1/?hunter2', path: '/v2/a?hunter2' };

    assert.ok(!formatJson([result({ ...sample, evidence })]).includes('hunter2'));
  });

  it('is JSON for any names', () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        assert.equal(rows(formatJson(results)).length, results.length);
      }),
      { numRuns: 150 },
    );
  });
});
