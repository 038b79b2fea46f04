import type { Descriptor } from '../image/descriptor.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import { outcomeOfFailure } from '../registry/failure-outcome.ts';
import { contentLengthOf } from '../registry/content-length.ts';
import { curlCommand, maskedPath } from '../registry/curl.ts';
import type { Transport, WireReply } from '../registry/transport.ts';
import { ended, type Attempt } from './attempt.ts';
import type { PullContext } from './pull-context.ts';
import type { RuntimeTraits } from './traits.ts';

/**
 * Layers that carry URLs of their own: containerd and containers/image try those first, without any login. containerd
 * turns to the registry on 404 (pull-parity F11), containers/image never: any URL that it can ask must answer.
 */
export type ForeignLayers = {
  readonly check: (layer: Descriptor, context: PullContext) => Promise<Result<undefined, Attempt> | 'ask-the-registry'>;
};

/** The webhook is nobody's proxy (design, rule 7): it asks no URL that an image names, and says that it does not know. */
export const passOver: ForeignLayers = {
  check: async (layer) =>
    err(
      ended({
        kind: 'not-checked',
        reason: 'limit',
        detail: `a layer (${layer.digest}) that lies outside the registry`,
      }),
    ),
};

const DIAL_TIMEOUT_MS = 30_000;
const MAX_URLS = 4;

/** For `check`, which a user runs for himself. */
export function askForeignUrls(
  transport: Transport,
  countRequest: () => void,
  addressesOf: (name: string) => readonly string[],
): ForeignLayers {
  const facts = { endpoint: { headers: {} }, addressesOf };
  return {
    check: async (layer, { course, signal, traits }) => {
      const { urls } = layer;
      const failures: PullOutcome[] = [];
      for (const url of urls.slice(0, MAX_URLS).map((text) => URL.parse(text))) {
        if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) continue;
        countRequest();
        const target = {
          scheme: url.protocol === 'http:' ? 'http' : 'https',
          authority: url.host,
          tls: { isVerified: true, authorities: [], clientPairs: [] },
          dialTimeoutMs: DIAL_TIMEOUT_MS,
        } as const;
        const request = { target, method: 'GET', path: `${url.pathname}${url.search}`, headers: {} } as const;
        // the next URL is for when this one fails
        // oxlint-disable-next-line no-await-in-loop
        const reply = await transport.send(request, signal);
        const answer = reply.ok ? String(reply.value.status) : `no answer (${reply.error.kind})`;
        course.note(
          `GET ${url.origin}${maskedPath(request.path, 'redirect')}, where the layer is said to lie: ${answer}`,
          () => curlCommand(request, facts, 'redirect'),
        );
        const evidence = evidenceOf(url, reply.ok ? reply.value.status : undefined);
        if (reply.ok) reply.value.drop();
        if (reply.ok && isThere(reply.value.status)) return judgeThere(layer, reply.value, { evidence, traits });
        const reason = 'a layer lies outside the registry and is refused there';
        const failure: PullOutcome = reply.ok
          ? { kind: 'registry-error', reason, evidence }
          : outcomeOfFailure(reply.error, evidence, url.host);
        const isFinal = traits.foreignUrls === 'first' && !(reply.ok && reply.value.status === 404);
        if (isFinal) return err(ended(failure));
        failures.push(failure);
      }
      const [first] = failures;
      return traits.foreignUrls === 'instead' && first !== undefined ? err(ended(first)) : 'ask-the-registry';
    },
  };
}

/** Its header may show that it is something else; nobody has read it, so that is no proof. */
function judgeThere(
  { digest, size }: Descriptor,
  { status, header }: WireReply,
  { evidence, traits }: { readonly evidence: Evidence; readonly traits: RuntimeTraits },
): Result<undefined, Attempt> {
  const length = contentLengthOf(header('content-length'));
  if (status >= 300 || length === undefined || length === size || traits.checksSizes !== 'all') {
    return ok(undefined);
  }
  const problem = `is ${length} bytes long where it lies, the manifest says ${size}`;
  return err(ended({ kind: 'damaged', part: 'layer', digest, problem, evidence }, ['not-a-registry-answer']));
}

/** A redirect is taken for a yes: we follow none to where an image points. */
const isThere = (status: number): boolean => status < 400;

function evidenceOf(url: URL, status: number | undefined): Evidence {
  return {
    endpoint: url.origin,
    method: 'GET',
    path: url.pathname,
    status,
    code: undefined,
    askedAs: { by: 'anonymous' },
    declaredBy: undefined,
  };
}
