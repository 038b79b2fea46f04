/** An answer as a value: what is sent, and how it travels. A HEAD gets the same without the body. */
export type Answer = {
  readonly status: number;
  /** Names in lower case. `content-length` is the body's unless it is given here, true or not. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  /** Before the first byte; `Infinity` never answers and leaves the connection open. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
  /** Where the connection is cut: before the status line, or after so many bytes of the body. */
  readonly cutAt?: 'start' | number;
  /** Written as they stand instead of all the above, then the connection ends: for what is no HTTP. */
  readonly raw?: Uint8Array;
};

export function jsonAnswer(status: number, document: unknown, headers: Answer['headers'] = {}): Answer {
  const body = Buffer.from(JSON.stringify(document));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** The error body of the OCI distribution specification, "Error Codes". */
export function errorAnswer(status: number, code: string, headers: Answer['headers'] = {}): Answer {
  const message = code.toLowerCase().replaceAll('_', ' ');
  return jsonAnswer(status, { errors: [{ code, message }] }, headers);
}
