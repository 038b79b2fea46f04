import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { container, pod, PULLABLE, respond, reviewOf, rig, TAG_MISSING } from './builders.ts';

const BAD = 'model:gone';
const missing = rig({ predict: ({ image }) => Promise.resolve(image === BAD ? TAG_MISSING : PULLABLE) });
const volume = (name: string): object => ({ name, image: { reference: BAD, pullPolicy: 'IfNotPresent' } });
const app = (...mounts: readonly string[]): object =>
  container('web', 'app:1', { volumeMounts: mounts.map((name) => ({ name, mountPath: `/${name}` })) });

describe('an image volume whose image is not there (B6)', () => {
  it('refuses a Pod in which a container mounts it', async () => {
    const answer = await respond(missing.review, reviewOf(pod({ volumes: [volume('v')], containers: [app('v')] })));

    assert.equal(answer.allowed, false);
  });

  it('is a warning where nobody does: every container starts', async () => {
    const answer = await respond(missing.review, reviewOf(pod({ volumes: [volume('v')], containers: [app()] })));

    assert.equal(answer.allowed, true);
    assert.match(answer.warnings?.join() ?? '', /^image volume "v", image model:gone/u);
  });

  it('refuses a Pod that mounts one of two with that image', async () => {
    const volumes = [volume('v'), volume('w')];
    const answer = await respond(missing.review, reviewOf(pod({ volumes, containers: [app('w')] })));

    assert.equal(answer.allowed, false);
  });

  it('refuses a Pod with a container of that image', async () => {
    const containers = [app(), container('model', BAD)];
    const answer = await respond(missing.review, reviewOf(pod({ volumes: [volume('v')], containers })));

    assert.equal(answer.allowed, false);
  });
});
