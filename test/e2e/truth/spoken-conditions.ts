import type { Answer } from '../../../webhook/demo/answer.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { only, raw, throttle } from '../../support/bend.ts';
import { hostOf, overHttp, type Stage } from './stage.ts';

/** The parts of an answer as it goes over the wire; a HEAD's body is empty. */
type Spelled = { readonly status: string; readonly lines: readonly string[]; readonly body: Uint8Array };

/** pull-parity D1, as rows: HTTP that is spelled as few servers do it. */
export async function addSpokenConditions({ registry, add }: Stage): Promise<void> {
  const row = async (id: string, bend: Bend, openBecause?: string): Promise<void> => {
    const host = hostOf(await registry({ bends: [bend] }));
    add({ id, rule: 'D1', image: `${host}/app:1`, node: overHttp(host), openBecause });
  };
  const spelled = (id: string, change: (spelled: Spelled) => Partial<Spelled>, openBecause?: string): Promise<void> =>
    row(id, asBytes(change), openBecause);

  const STRICTER = 'our HTTP parser is stricter than that of Go';
  await spelled(
    'spoken-continue-first',
    ({ status }) => ({ status: `HTTP/1.1 100 Continue\r\n\r\n${status}` }),
    STRICTER,
  );
  await spelled('spoken-hints-first', ({ status }) => ({
    status: `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${status}`,
  }));
  await spelled('spoken-switching', ({ status }) => ({ status: status.replace('200 OK', '101 Switching Protocols') }));
  await spelled('spoken-lower-case', ({ status }) => ({ status: status.replace('HTTP/1.1', 'http/1.1') }));
  await spelled('spoken-2-0', ({ status }) => ({ status: status.replace('HTTP/1.1', 'HTTP/2.0') }));
  await spelled('spoken-status-999', ({ status }) => ({ status: status.replace('200', '999') }));
  const added =
    (...lines: readonly string[]) =>
    ({ lines: old }: Spelled): Partial<Spelled> => ({ lines: [...old, ...lines] });
  const changed =
    (pattern: RegExp, by: string) =>
    ({ lines }: Spelled): Partial<Spelled> => ({ lines: lines.map((line) => line.replace(pattern, by)) });
  await spelled('spoken-folded', added('x-long: one', '\ttwo'), STRICTER);
  await spelled('spoken-utf8', added('x-name: \u{FC}ber'));
  await spelled('spoken-control', added('x-name: a\u{1}b'));
  await spelled('spoken-space-in-name', added('x name: a'), STRICTER);
  await spelled('spoken-no-colon', added('nothing'));
  await spelled('spoken-many-headers', added(...Array.from({ length: 1500 }, (_, at) => `x-${at}: a`)));
  await spelled(
    'spoken-length-twice',
    ({ lines }) => ({
      lines: [...lines, ...lines.filter((line) => line.startsWith('content-length'))],
    }),
    STRICTER,
  );
  await spelled('spoken-length-twice-differs', added('content-length: 7'));
  await spelled('spoken-length-plus', changed(/^content-length: /u, 'content-length: +'));
  await spelled('spoken-length-spaces', changed(/^content-length: (?<length>\d+)$/u, 'content-length:  $<length> '));
  await spelled('spoken-length-negative', changed(/^content-length: /u, 'content-length: -'));
  await spelled(
    'spoken-length-and-chunked',
    ({ lines, body }) => ({
      lines: [...lines, 'transfer-encoding: chunked'],
      body: body.length === 0 ? body : chunked(body),
    }),
    STRICTER,
  );
  await spelled('spoken-chunked', ({ lines, body }) => ({ body: chunked(body), ...withChunks(lines) }));
  await spelled('spoken-chunked-extension', ({ lines, body }) => ({
    ...withChunks(lines),
    body: chunked(body, ';name="a b"'),
  }));
  await spelled('spoken-chunked-trailer', ({ lines, body }) => ({
    ...withChunks(lines),
    body: body.length === 0 ? body : Buffer.concat([chunked(body).subarray(0, -2), Buffer.from('x-sum: 1\r\n\r\n')]),
  }));
  await spelled('spoken-chunked-unended', ({ lines, body }) => ({
    ...withChunks(lines),
    body: body.length === 0 ? body : chunked(body).subarray(0, -5),
  }));
  await spelled('spoken-transfer-gzip', ({ lines }) => ({ lines: [...lines, 'transfer-encoding: gzip'] }));
  await spelled('spoken-without-length', ({ lines }) => ({ lines: without(lines) }));
  await spelled('spoken-body-goes-on', ({ body }) => ({
    body: body.length === 0 ? body : Buffer.concat([body, Buffer.from('\r\nand more')]),
  }));
  await spelled('spoken-type-twice', added('content-type: text/plain'));
  await spelled('spoken-type-twice-wrong-first', ({ lines }) => ({ lines: ['content-type: text/plain', ...lines] }));
  await spelled('spoken-digest-twice', added(`docker-content-digest: sha256:${'0'.repeat(64)}`));
  await spelled(
    'spoken-digest-spaces',
    changed(/^docker-content-digest: (?<digest>.*)$/u, 'docker-content-digest:   $<digest>  '),
  );
  await spelled(
    'spoken-digest-upper-case',
    changed(/^docker-content-digest: sha256:/u, 'Docker-Content-Digest: SHA256:'),
  );
  await row('spoken-head-with-body', headWithBody);
  await row(
    'spoken-keep-alive-lie',
    asBytes(({ lines }) => ({
      lines: lines.map((line) => (line === 'connection: close' ? 'connection: keep-alive' : line)),
    })),
  );
  await row('spoken-slow-body', only({ kind: 'blob' }, throttle(200)));
}

const without = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => !line.startsWith('content-length'));
const withChunks = (lines: readonly string[]): Pick<Spelled, 'lines'> => ({
  lines: [...without(lines), 'transfer-encoding: chunked'],
});

/** In two pieces. */
function chunked(body: Uint8Array, extension = ''): Uint8Array {
  if (body.length === 0) return body;
  const middle = body.length >> 1;
  const piece = (bytes: Uint8Array): readonly Uint8Array[] => [
    Buffer.from(`${bytes.length.toString(16)}${extension}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ];
  return Buffer.concat([...piece(body.subarray(0, middle)), ...piece(body.subarray(middle)), Buffer.from('0\r\n\r\n')]);
}

/** The answer as bytes, after which the connection ends. */
function asBytes(change: (spelled: Spelled) => Partial<Spelled>): Bend {
  return (question, answer) => {
    const plain: Spelled = {
      status: `HTTP/1.1 ${answer.status} ${answer.status === 200 ? 'OK' : 'So be it'}`,
      lines: [...headerLines(answer), `content-length: ${answer.body.length}`, 'connection: close'],
      body: question.method === 'HEAD' ? new Uint8Array() : answer.body,
    };
    const { status, lines, body } = { ...plain, ...change(plain) };
    const head = Buffer.from(`${[status, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
    return raw(Buffer.concat([head, body]))(question, answer);
  };
}

/** As servers do that know no HEAD. */
const headWithBody: Bend = (question, answer) => {
  if (question.method !== 'HEAD') return answer;
  const lines = [`HTTP/1.1 ${answer.status} OK`, ...headerLines(answer), `content-length: ${answer.body.length}`];
  return raw(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), answer.body]))(question, answer);
};

function headerLines({ headers }: Answer): readonly string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
}
