import { createServer, type RequestListener, type Server } from 'node:http';
import express, { type Express } from 'express';
import { createListener, type Listener } from './listener.ts';

export type AdminDeps = {
  /** Asked at each probe. The reason is a few words for whoever looks at a Pod that is not ready. */
  readonly readiness: () => { readonly isReady: true } | { readonly isReady: false; readonly reason: string };
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
};

/** Probes and metrics on a plain port of their own: no secrets, nothing that changes anything. */
export function createAdminApp({ readiness, metrics }: AdminDeps): Express {
  const app = express();
  for (const setting of ['x-powered-by', 'etag']) app.disable(setting);
  for (const setting of ['strict routing', 'case sensitive routing']) app.enable(setting);
  app.set('query parser', false);
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const state = readiness();
    response
      .status(state.isReady ? 200 : 503)
      .type('text/plain')
      .send(state.isReady ? 'ok\n' : `not ready: ${state.reason}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    const text = await metrics.text();
    response.set('Content-Type', metrics.contentType).send(text);
  });
  app.use((_request, response) => {
    response.status(404).type('text/plain').send('there is /healthz, /readyz and /metrics here\n');
  });
  return app;
}

const MAX_CONNECTIONS = 100;

/** Small limits: its callers are the kubelet and a scraper. */
export function createAdminServer(deps: AdminDeps): Listener {
  const options = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 2_500 };
  const create = (listener: RequestListener): Server => createServer(options, listener);
  return createListener(create, createAdminApp(deps), { maxConnections: MAX_CONNECTIONS });
}
