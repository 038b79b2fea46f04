import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { createAdminApp, createAdminServer, type AdminDeps } from '../../webhook/http/admin.ts';

const metrics: AdminDeps['metrics'] = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  text: () => Promise.resolve('a 1\n'),
};

describe('createAdminApp', () => {
  it('is alive', async () => {
    const response = await request(createAdminApp({ readiness: () => ({ isReady: false, reason: 'x' }), metrics })).get(
      '/healthz',
    );

    assert.deepEqual([response.status, response.text], [200, 'ok\n']);
  });

  it('is ready when it is told so, and says why it is not', async () => {
    let state: ReturnType<AdminDeps['readiness']> = { isReady: false, reason: 'no certificate yet' };
    const app = createAdminApp({ readiness: () => state, metrics });

    const early = await request(app).get('/readyz');
    state = { isReady: true };
    const later = await request(app).get('/readyz');

    assert.deepEqual([early.status, early.text], [503, 'not ready: no certificate yet\n']);
    assert.deepEqual([later.status, later.text], [200, 'ok\n']);
  });

  it('gives its metrics with the type that scrapers read', async () => {
    const response = await request(createAdminApp({ readiness: () => ({ isReady: true }), metrics })).get('/metrics');

    assert.deepEqual([response.status, response.text], [200, 'a 1\n']);
    assert.equal(response.headers['content-type'], metrics.contentType);
  });

  it('knows nothing else', async () => {
    const app = createAdminApp({ readiness: () => ({ isReady: true }), metrics });

    for (const path of ['/', '/validate', '/healthz/', '/debug/pprof']) {
      assert.equal((await request(app).get(path)).status, 404);
    }
    assert.equal((await request(app).post('/healthz')).status, 404);
  });

  it('listens on a plain port until it is drained', async () => {
    const server = createAdminServer({ readiness: () => ({ isReady: true }), metrics });
    const { port } = await server.listen('127.0.0.1', 0);

    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    assert.equal(await response.text(), 'ok\n');
    await server.drain({ lingerMs: 0, limitMs: 1000 });
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  });
});
