import type { Question } from '../../webhook/demo/question.ts';

/** One request as a server saw it. */
export type LoggedRequest = {
  readonly method: string;
  /** With scheme, host and query, as the client asked. */
  readonly url: string;
  readonly path: string;
  readonly authorization: 'none' | 'basic' | 'bearer' | 'other';
  readonly headers: Question['headers'];
  readonly body: string;
};

/** Where a secret was seen, never the secret itself. */
export type Sighting = { readonly request: string; readonly where: 'url' | 'authorization' | 'header' | 'body' };

export interface RequestLog {
  readonly requests: readonly LoggedRequest[];
  /** `GET /v2/app/manifests/1` for each request in order: what most tests compare. */
  lines(): readonly string[];
  /** Every place of every request in which the secret stands, plainly or encoded. An untainted log gives `[]`. */
  sightings(secret: string): readonly Sighting[];
  clear(): void;
}

export interface RecordingLog extends RequestLog {
  record(question: Question): void;
}

export function createRequestLog(): RecordingLog {
  const requests: LoggedRequest[] = [];
  return {
    requests,
    lines: () => requests.map(({ method, path }) => `${method} ${path}`),
    sightings: (secret) => requests.flatMap((request) => sightingsIn(request, secret)),
    clear: () => {
      requests.length = 0;
    },
    record: ({ method, url, headers, body }) => {
      const authorization = schemeOf(headers.authorization);
      requests.push({ method, url: url.href, path: url.pathname, authorization, headers, body });
    },
  };
}

function schemeOf(header: string | undefined): LoggedRequest['authorization'] {
  if (header === undefined) return 'none';
  const scheme = header.split(' ', 1)[0]?.toLowerCase();
  return scheme === 'basic' || scheme === 'bearer' ? scheme : 'other';
}

function sightingsIn({ method, path, url, headers, body }: LoggedRequest, secret: string): Sighting[] {
  const request = `${method} ${path}`;
  const { authorization, ...others } = headers;
  const places: readonly (readonly [Sighting['where'], string])[] = [
    ['url', url],
    ['authorization', authorization ?? ''],
    ...Object.entries(others).map(([name, value]) => ['header', `${name}: ${String(value)}`] as const),
    ['body', body],
  ];
  return places.filter(([, text]) => holdsSecret(text, secret)).map(([where]) => ({ request, where }));
}

/** Whether a text gives a secret away: as it is, percent-encoded, or inside a base64 word of the text. */
export function holdsSecret(text: string, secret: string): boolean {
  if (secret === '') throw new Error('an empty secret is found in every text');
  const spaced = text.replaceAll('+', ' ');
  if ([text, percentDecoded(text), percentDecoded(spaced)].some((form) => form.includes(secret))) return true;
  const words = percentDecoded(text).match(/[A-Za-z0-9+/_-]{4,}={0,2}/gu) ?? [];
  return words.some((word) => Buffer.from(word, 'base64').includes(secret));
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
