import { createHash } from 'node:crypto';
import { digestAlgorithm, type Digest } from '../image/digest.ts';
import { bareMediaType } from '../image/media-type.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Doubt } from '../outcome/certainty.ts';
import type { DamagedPart, Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { Answer } from '../registry/client.ts';
import { contentLengthOf } from '../registry/content-length.ts';
import { ended, type Attempt } from './attempt.ts';
import type { Miss } from './each-endpoint.ts';
import { isLoginElsewhere, refusal, strangerDoubts } from './status.ts';
import { strangenessOf } from './strangeness.ts';

/** What a descriptor says of a content. `size` in bytes, `undefined` where the runtime pays it no heed (F13). */
export type Expected = { readonly part: DamagedPart; readonly digest: Digest; readonly size: number | undefined };

export type Content = {
  readonly bytes: Uint8Array;
  readonly evidence: Evidence;
  /** What a GET called it; absent where that is known already. */
  readonly servedAs?: string;
};

/** Compares what a GET brought with its descriptor, as the runtime does before it keeps it (pull-parity D12, F13). */
export function judgeContent(answer: Answer, expected: Expected): Result<Content, Miss> {
  const { status, bytes, evidence } = answer;
  const { part, digest, size } = expected;
  if (status >= 300) return err(refusedContent(answer, expected));
  // it began to come: nobody else is asked for the rest
  if (answer.wasCut) return err({ attempt: cutOff(answer, part, digest), isFinal: true });
  if (!answer.isWhole) {
    const detail = `a ${part} of more than ${bytes.length} bytes`;
    return err({ attempt: ended({ kind: 'not-checked', reason: 'limit', detail }), isFinal: false });
  }
  if (size !== undefined && size !== bytes.length) {
    return wrong(answer, expected, `is ${bytes.length} bytes long, its descriptor says ${size}`);
  }
  if (digestOf(bytes, digest) !== digest) return wrong(answer, expected, 'has other content than its digest says');
  return ok({ bytes, evidence, servedAs: bareMediaType(answer.header('content-type')) });
}

/** Compares what the header of a layer's GET says, without its body. */
export function judgeHeader(answer: Answer, expected: Expected): Result<undefined, Miss> {
  if (answer.status >= 300) return err(refusedContent(answer, expected));
  const length = lengthOf(answer);
  const { size } = expected;
  if (size === undefined || length === undefined || length === size) return ok(undefined);
  return wrong(answer, expected, `is ${length} bytes long at the registry, the manifest says ${size}`);
}

/** In the algorithm of `like`. */
export function digestOf(bytes: Uint8Array, like: Digest): string {
  const algorithm = digestAlgorithm(like);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Twice in a row, as the client asks again: the node's pull would end so too, if it is not for somebody in between. */
export function cutOff({ evidence, bytes }: Answer, part: DamagedPart, digest: Digest | undefined): Attempt {
  const problem = `breaks off after ${bytes.length} bytes`;
  return ended({ kind: 'damaged', part, digest, problem, evidence }, ['not-a-registry-answer']);
}

/** `Content-Length`, `undefined` where there is none that can be read. */
export function lengthOf(answer: Answer): number | undefined {
  // it has no body, whatever it says of one (RFC 9110, 15.3.5)
  if (answer.status === 204 && answer.evidence.method === 'GET') return 0;
  return contentLengthOf(answer.header('content-length'));
}

/** A status that is no success: only a 404 says something of the content. */
function refusedContent(answer: Answer, { part, digest }: Expected): Miss {
  const { status, evidence, isElsewhere } = answer;
  if (status === 404) {
    const problem = 'is absent from the registry';
    // an object store, where registries send us for blobs, has error bodies of its own
    const doubts = isElsewhere ? [] : strangerDoubts(answer);
    return { attempt: ended({ kind: 'damaged', part, digest, problem, evidence }, doubts), isFinal: false };
  }
  if (isLoginElsewhere(answer)) return { attempt: ended(refusal(answer), ['redirect-login']), isFinal: false };
  return { attempt: ended(refusal(answer), status === 403 ? strangerDoubts(answer) : []), isFinal: false };
}

function wrong(
  answer: Answer,
  { part, digest }: Expected,
  problem: string,
): { readonly ok: false; readonly error: Miss } {
  const doubts: readonly Doubt[] = strangenessOf(answer) === undefined ? [] : ['not-a-registry-answer'];
  const outcome: PullOutcome = { kind: 'damaged', part, digest, problem, evidence: answer.evidence };
  return err({ attempt: ended(outcome, doubts), isFinal: true });
}
