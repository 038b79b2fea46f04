import { Agent, request, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { WEBHOOK_NAME } from './certificates.ts';
import { readAdmission, reviewOf, type Admission, type Written } from './review.ts';

/** The part of an API server that calls webhooks. */
export type ApiServer = {
  /** Asks the webhook about a new object. Rejects where it does not answer in time or answers something else. */
  readonly admit: (object: Written, signal: AbortSignal) => Promise<Admission>;
  readonly close: () => void;
};

/** `timeoutSeconds` of the webhook configuration. */
export const TIMEOUT_SECONDS = 5;
export const REVIEW_PATH = `/validate?timeout=${TIMEOUT_SECONDS}s`;
export const NAMESPACE = 'default';

/** Calls a webhook on this machine as an API server does: by a Service's name, with a `caBundle` (PEM), over kept TLS. */
export function createApiServer(port: number, caBundle: string): ApiServer {
  const agent = new Agent({ keepAlive: true, ca: caBundle, servername: WEBHOOK_NAME });
  return {
    admit: async (object, signal) => {
      const review = reviewOf(object, NAMESPACE);
      const options: RequestOptions = {
        agent,
        host: '127.0.0.1',
        port,
        path: REVIEW_PATH,
        method: 'POST',
        headers: { host: `${WEBHOOK_NAME}:443`, 'content-type': 'application/json', accept: 'application/json' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_SECONDS * 1000)]),
      };
      return readAdmission(await send(options, JSON.stringify(review)), review);
    },
    close: () => agent.destroy(),
  };
}

function send(options: RequestOptions, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request(options, (response) => {
    if (response.statusCode === 200) {
      text(response).then(resolve, reject);
      return;
    }
    response.resume();
    reject(new Error(`the webhook answered ${response.statusCode}`));
  });
  call.on('error', reject);
  call.end(body);
  return promise;
}
