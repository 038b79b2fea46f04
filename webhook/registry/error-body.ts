import { REGISTRY_ERROR_CODES, type RegistryErrorCode } from '../outcome/outcome.ts';

/** A registry's error document is a few lines; what is longer is none. */
export const MAX_ERROR_BYTES = 64 * 1024;

/** What an error body tells: only a code of the closed list, never its text. */
export type ErrorBody = {
  /** The body has the distribution specification's shape, whatever its codes. */
  readonly isRegistryError: boolean;
  readonly code: RegistryErrorCode | undefined;
};

const NO_ERROR_BODY: ErrorBody = Object.freeze({ isRegistryError: false, code: undefined });
const CODES: ReadonlySet<string> = new Set(REGISTRY_ERROR_CODES);

/** Reads `{"errors":[{"code":...}]}` (OCI distribution specification, "Error Codes"). */
export function readErrorBody(bytes: Uint8Array): ErrorBody {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return NO_ERROR_BODY;
  }
  if (typeof value !== 'object' || value === null || !('errors' in value) || !Array.isArray(value.errors)) {
    return NO_ERROR_BODY;
  }
  const first: unknown = value.errors[0];
  const code = typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined;
  if (typeof code !== 'string') return NO_ERROR_BODY;
  return { isRegistryError: true, code: isKnownCode(code) ? code : undefined };
}

function isKnownCode(code: string): code is RegistryErrorCode {
  return CODES.has(code);
}
