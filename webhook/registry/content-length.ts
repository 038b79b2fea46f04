/** The value of a `Content-Length` header in bytes, `undefined` where there is none that can be read. */
export function contentLengthOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined;
}
