import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OUTCOME_KINDS } from '../../webhook/outcome/outcome.ts';
import { createMetrics, type Metrics } from '../../webhook/telemetry/metrics.ts';
import { factsOf } from './facts.ts';

const DAY_MS = 86_400_000;
const create = (now = (): number => 0): Metrics => createMetrics({ now, refusalStatuses: [400, 500] });
const linesOf = async (metrics: Metrics): Promise<readonly string[]> => (await metrics.text()).split('\n');

async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await linesOf(metrics)).find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('createMetrics', () => {
  it('has every series from the start, at 0', async () => {
    const lines = await linesOf(create());

    const images = lines.filter((line) => line.startsWith('pullguard_images_total{'));
    assert.equal(images.length, OUTCOME_KINDS.length * 3);
    assert.ok(images.every((line) => line.endsWith(' 0')));
    assert.equal(lines.filter((line) => line.startsWith('pullguard_reviews_total{')).length, 15);
    for (const name of ['pullguard_registry_requests_total', 'pullguard_policy_errors', 'pullguard_policy_last_good']) {
      assert.ok(lines.includes(`${name} 0`), name);
    }
    assert.ok(lines.includes('pullguard_http_refused_total{status="400"} 0'));
    assert.ok(lines.some((line) => line.startsWith('process_resident_memory_bytes ')));
  });

  it('counts reviews, images, requests and time', async () => {
    const metrics = create();

    metrics.reviewed(factsOf());
    metrics.reviewed(factsOf({ unlisted: 5 }));

    assert.equal(await valueOf(metrics, 'pullguard_reviews_total{verdict="denied",mode="enforce"}'), 2);
    assert.equal(await valueOf(metrics, 'pullguard_images_total{outcome="tag_not_found",action="deny"}'), 2);
    assert.equal(await valueOf(metrics, 'pullguard_images_total{outcome="not_checked",action="allow"}'), 5);
    assert.equal(await valueOf(metrics, 'pullguard_registry_requests_total'), 6);
    assert.equal(await valueOf(metrics, 'pullguard_review_duration_seconds_bucket{le="0.05"}'), 2);
    assert.equal(await valueOf(metrics, 'pullguard_review_duration_seconds_bucket{le="0.025"}'), 0);
  });

  it('makes no label of anything that a request wrote', async () => {
    const metrics = create();
    const before = (await linesOf(metrics)).filter((line) => line.startsWith('pullguard_')).length;

    for (let at = 0; at < 200; at += 1) {
      const images = [
        { image: `hunter${at}:1`, outcome: 'pullable', isConclusive: true, action: 'allow', intended: 'allow' },
      ] as const;
      metrics.reviewed(factsOf({ uid: `u${at}`, namespace: `n${at}`, kind: `K${at}`, images }));
      metrics.refused(at);
    }

    const after = await linesOf(metrics);
    assert.equal(after.filter((line) => line.startsWith('pullguard_')).length, before);
    assert.equal(
      after.some((line) => line.includes('hunter')),
      false,
    );
  });

  it('tells when the policy was good and how bad the newest one is', async () => {
    const metrics = create();

    metrics.policyAccepted(1_700_000_000_000);
    metrics.policyRefused(3);

    assert.equal(await valueOf(metrics, 'pullguard_policy_last_good'), 1_700_000_000);
    assert.equal(await valueOf(metrics, 'pullguard_policy_errors'), 3);
    metrics.policyAccepted(1_700_000_001_000);
    assert.equal(await valueOf(metrics, 'pullguard_policy_errors'), 0);
  });

  it('counts the certificate down, and says nothing of one that it does not know', async () => {
    let nowMs = 0;
    const metrics = create(() => nowMs);
    assert.equal(await valueOf(metrics, 'pullguard_certificate_expiry_seconds'), undefined);

    metrics.certificateExpires(DAY_MS);
    assert.equal(await valueOf(metrics, 'pullguard_certificate_expiry_seconds'), 86_400);
    nowMs = 2 * DAY_MS;
    assert.equal(await valueOf(metrics, 'pullguard_certificate_expiry_seconds'), -86_400);
  });

  it('shares nothing between two of them', async () => {
    const [one, other] = [create(), create()];

    one.refused(400);

    assert.equal(await valueOf(one, 'pullguard_http_refused_total{status="400"}'), 1);
    assert.equal(await valueOf(other, 'pullguard_http_refused_total{status="400"}'), 0);
  });
});
