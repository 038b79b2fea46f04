import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyOutput } from '../../webhook/demo/kubectl.ts';

const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } };
const texts = (...given: Parameters<typeof applyOutput>): readonly string[] =>
  applyOutput(...given).map(({ text }) => text);

describe('kubectl apply', () => {
  it('says that an object was created, with its group', () => {
    const admitted = { isAllowed: true, message: '', warnings: [] };

    assert.deepEqual(texts(DEPLOYMENT, admitted, 'web.yaml'), ['deployment.apps/web created']);
    assert.deepEqual(texts(POD, admitted, 'web.yaml'), ['pod/web created']);
  });

  it('prints warnings as they are, before all else', () => {
    const admitted = { isAllowed: true, message: '', warnings: ['one', 'two'] };

    assert.deepEqual(texts(POD, admitted, 'web.yaml'), ['Warning: one', 'Warning: two', 'pod/web created']);
  });

  it('prints a denial as the API server words it', () => {
    const denied = { isAllowed: false, message: 'no such tag', warnings: ['one'] };

    assert.deepEqual(texts(POD, denied, 'web.yaml'), [
      'Warning: one',
      'Error from server (Forbidden): error when creating "web.yaml": admission webhook "images.pullguard.io" denied the request: no such tag',
    ]);
  });
});
