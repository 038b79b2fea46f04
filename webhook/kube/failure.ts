import { ApiException } from '@kubernetes/client-node';
import { toPrintable } from '../outcome/printable.ts';

/** How a call of the API can fail. `reason` completes "the API server ..." and holds no body. */
export type ApiFailure =
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Reads what client-node throws: its exception for an answer, a watch's error with `statusCode`, or fetch's own. */
export function readApiFailure(error: unknown): ApiFailure {
  const status = statusOf(error);
  if (status === 404) return { kind: 'missing' };
  if (status === 403) return { kind: 'forbidden' };
  if (status === 401) return { kind: 'unavailable', reason: 'does not accept our credentials (401)' };
  if (status !== undefined) return { kind: 'unavailable', reason: `answered ${status}` };
  if (nameOf(error) === 'TimeoutError') return { kind: 'unavailable', reason: 'did not answer in time' };
  const fault = localFault(error);
  if (fault !== undefined) return { kind: 'unavailable', reason: `could not be asked: ${fault}` };
  const code = failureCode(error);
  return { kind: 'unavailable', reason: code === undefined ? 'could not be asked' : `could not be asked (${code})` };
}

/** What the kubeconfig names and this machine lacks: a file with a certificate or a token, or a command that makes one. */
function localFault(error: unknown): string | undefined {
  if (!(error instanceof Error && 'syscall' in error && 'path' in error)) return undefined;
  const [name, call, code] = [toPrintable(String(error.path)), String(error.syscall), codeOf(error)];
  if (code === undefined) return undefined;
  if (call.startsWith('spawn')) return `the command ${name} that the kubeconfig names cannot be run (${code})`;
  return call === 'open' ? `the file ${name} that the kubeconfig names cannot be read (${code})` : undefined;
}

/** More than the connection takes of one answer. */
export const isTooLarge = (error: unknown): boolean => failureCode(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';

/** 409: somebody created the object first, or changed it since it was read. */
export const isConflict = (error: unknown): boolean => statusOf(error) === 409;

/** The same for messages: `may not be asked for it (403)`. */
export function describeFailure(failure: ApiFailure): string {
  if (failure.kind === 'missing') return 'has no such object (404)';
  return failure.kind === 'forbidden' ? 'refuses it to our ServiceAccount (403)' : failure.reason;
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof ApiException) return error.code;
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

const nameOf = (error: unknown): string | undefined => (error instanceof Error ? error.name : undefined);

const failureCode = (error: unknown): string | undefined =>
  codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);

/** Only codes such as `ECONNREFUSED`: a message may hold addresses. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/u.test(error.code) ? error.code : undefined;
}
