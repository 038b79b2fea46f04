import { connect } from 'node:net';
import type { Review, ReviewOptions } from '../../webhook/admission/reviewer.ts';
import { answerTo } from '../../webhook/admission/answer.ts';
import { decodeReview } from '../../webhook/admission/review.ts';
import { createApp } from '../../webhook/http/app.ts';

export type LogLine = {
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** A reviewer that admits everything that it can read, as the real one does. */
export const admitAll: Review = (body) => {
  const decoded = decodeReview(body);
  if (!decoded.ok) return Promise.resolve({ kind: 'no-review', reason: decoded.error });
  return Promise.resolve(answerTo(decoded.value.uid, { denial: undefined, warnings: [], annotations: {} }));
};

/** The real app around `review`, with what it wrote down. */
export function appRig(review: Review = admitAll) {
  const lines: LogLine[] = [];
  const refusals: number[] = [];
  const asked: ReviewOptions[] = [];
  const app = createApp({
    review: (body, options) => {
      asked.push(options);
      return review(body, options);
    },
    log: {
      warn: (message, fields) => lines.push({ level: 'warn', message, fields }),
      error: (message, fields) => lines.push({ level: 'error', message, fields }),
    },
    metrics: { refused: (status) => refusals.push(status) },
  });
  return { app, lines, refusals, asked };
}

/** Writes raw bytes to a plain port and returns all that comes back until the server closes the connection. */
export function talk(port: number, bytes: string | readonly (string | Buffer)[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: '127.0.0.1', port });
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  // the server may close while we still write: what it said before counts
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(text));
  for (const part of typeof bytes === 'string' ? [bytes] : bytes) socket.write(part);
  return promise;
}
