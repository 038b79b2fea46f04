import type { Descriptor } from '../image/manifest.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Evidence } from '../outcome/outcome.ts';
import { outcomeOfFailure } from '../registry/failure-outcome.ts';
import type { Transport } from '../registry/transport.ts';
import type { Attempt, PullContext } from './attempt.ts';

/**
 * Layers that carry URLs of their own: containerd and containers/image try those first, without any login, and turn to
 * the registry only on 404 (pull-parity F11).
 */
export type ForeignLayers = {
  readonly check: (
    layer: Descriptor,
    context: PullContext,
    signal: AbortSignal,
  ) => Promise<Result<undefined, Attempt> | 'ask-the-registry'>;
};

/** The webhook is nobody's proxy (design, rule 7): it asks no URL that an image names, and says that it does not know. */
export const passOver: ForeignLayers = {
  check: async (layer) =>
    err({
      outcome: { kind: 'not-checked', reason: 'limit', detail: `a layer (${layer.digest}) that lies outside the registry` },
      doubts: [],
    }),
};

const DIAL_TIMEOUT_MS = 30_000;
const MAX_URLS = 4;

/** For `check`, which a user runs for himself. */
export function askForeignUrls(transport: Transport, countRequest: () => void): ForeignLayers {
  return {
    check: async (layer, context, signal) => {
      for (const text of layer.urls.slice(0, MAX_URLS)) {
        const url = URL.parse(text);
        if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) continue;
        countRequest();
        context.course.note(`GET ${url.origin}${url.pathname}, where the layer is said to lie`);
        // the next URL is for when this one answers 404
        // oxlint-disable-next-line no-await-in-loop
        const reply = await transport.send(
          {
            target: {
              scheme: url.protocol === 'http:' ? 'http' : 'https',
              authority: url.host,
              tls: { isVerified: true, authorities: [], clientPairs: [] },
              dialTimeoutMs: DIAL_TIMEOUT_MS,
            },
            method: 'GET',
            path: `${url.pathname}${url.search}`,
            headers: {},
          },
          signal,
        );
        const evidence: Evidence = {
          endpoint: url.origin,
          method: 'GET',
          path: url.pathname,
          status: reply.ok ? reply.value.status : undefined,
          code: undefined,
          askedAs: { by: 'anonymous' },
          declaredBy: undefined,
        };
        if (!reply.ok) return err({ outcome: outcomeOfFailure(reply.error, evidence, url.host), doubts: [] });
        reply.value.drop();
        if (reply.value.status < 300) return ok(undefined);
        if (reply.value.status !== 404) {
          const reason = 'a layer lies outside the registry and is refused there';
          return err({ outcome: { kind: 'registry-error', reason, evidence }, doubts: [] });
        }
      }
      return 'ask-the-registry';
    },
  };
}
