import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createDnsQuery, type DnsQuery } from '../../webhook/registry/dns-query.ts';
import { NetworkError } from '../../webhook/registry/failure.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';

const [A, AAAA] = [1, 28];
const [NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME] = [0, 2, 3];
const never = new AbortController().signal;
const BOTH: ReadonlySet<string> = new Set(['both.test', 'single.corp.test', 'reg.team.corp.test']);

/** RFC 1035, 4.1: the answer to one question, with addresses as bytes. */
function answerTo(question: Buffer, code: number, addresses: readonly (readonly number[])[]): Buffer {
  const end = endOfName(question) + 4;
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt16BE(0, 10);
  const type = question.readUInt16BE(end - 4);
  const records = addresses.map((bytes) =>
    Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length, ...bytes]),
  );
  return Buffer.concat([header, question.subarray(12, end), ...records]);
}

/** The type of what is asked for stands there. */
function endOfName(question: Buffer): number {
  let end = 12;
  while (question[end] !== 0) end += 1 + (question[end] ?? 0);
  return end + 1;
}

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; question[at] !== 0; at += 1 + (question[at] ?? 0)) {
    labels.push(question.subarray(at + 1, at + 1 + (question[at] ?? 0)).toString('latin1'));
  }
  return labels.join('.');
}

const kindOf = (error: unknown): string => (error instanceof NetworkError ? error.failure.kind : 'other');

describe('asking the name servers', () => {
  let server: Socket;
  let folder: string;
  let query: DnsQuery;
  /** Of two tries in 1.2 s together, for servers that never answer. */
  let impatientQuery: DnsQuery;
  let asked: string[] = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pullguard-dns-'));
    writeFileSync(join(folder, 'hosts'), '# silent.test\n10.1.1.1\tFile.test alias.test # other.test\n');
    server = createSocket('udp4', (question, from) => {
      const name = nameIn(question);
      const type = question.readUInt16BE(endOfName(question));
      asked.push(name);
      if (name.endsWith('silent.test')) return;
      const both = BOTH.has(name) || (name === 'four.test' && type === A);
      const isKnown = both || name.endsWith('empty.test') || name === 'four.test';
      const code = name === 'failing.test' ? SERVER_FAILURE : isKnown ? NO_ERROR : NO_SUCH_NAME;
      const bytes = type === AAAA ? [0xfd, ...Array.from({ length: 14 }, () => 0), 1] : [10, 0, 0, 1];
      server.send(answerTo(question, code, both ? [bytes] : []), from.port, from.address);
    }).bind(0, '127.0.0.1');
    await once(server, 'listening');
    const asking = {
      hostsFile: join(folder, 'hosts'),
      resolvFile: join(folder, 'resolv.conf'),
      servers: [`127.0.0.1:${server.address().port}`],
    };
    query = createDnsQuery({ ...asking, timeoutMs: 20_000 });
    impatientQuery = createDnsQuery({ ...asking, timeoutMs: 400 });
  });
  beforeEach(() => {
    writeFileSync(join(folder, 'resolv.conf'), '');
    asked = [];
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('gives the addresses of both families, IPv4 first', async () => {
    assert.deepEqual(await query('both.test'), ['10.0.0.1', 'fd00::1']);
    assert.deepEqual(await query('four.test'), ['10.0.0.1']);
  });

  it('leaves to the system what may stand elsewhere', async () => {
    for (const name of ['file.test', 'ALIAS.test', 'printer.local']) assert.equal(await query(name), undefined, name);
    assert.deepEqual(asked, []);
  });

  const SEARCHES: readonly (readonly [settings: string, name: string, asked: readonly string[]])[] = [
    ['', 'gone.test', ['gone.test']],
    ['', 'empty.test', ['empty.test']],
    ['search old.test\nsearch corp.test more.test # one', 'reg.team', ['reg.team', 'reg.team.corp.test']],
    ['domain corp.test\noptions timeout:1', 'single', ['single.corp.test']],
    ['search corp.test', 'gone', ['gone.corp.test', 'gone']],
    ['search corp.test\noptions ndots:5', 'both.test', ['both.test.corp.test', 'both.test']],
    ['search corp.test', 'both.test', ['both.test']],
    ['search .', 'gone.test', ['gone.test']],
  ];
  for (const [settings, name, names] of SEARCHES) {
    it(`asks for ${names.join(', then ')} where it is to find ${name} and resolv.conf has "${settings.replace('\n', ', ')}"`, async () => {
      writeFileSync(join(folder, 'resolv.conf'), settings);
      const expected = BOTH.has(names.at(-1) ?? '') ? ['10.0.0.1', 'fd00::1'] : 'dns';

      assert.deepEqual(await query(name).catch((error: unknown) => kindOf(error)), expected);

      assert.deepEqual([...new Set(asked)], names);
    });
  }

  it('tells a failing name server from a silent one', async () => {
    const kinds = ['failing.test', 'silent.test'].map((name) => impatientQuery(name).then(String, kindOf));

    assert.deepEqual(await Promise.all(kinds), ['dns', 'timeout']);
  });

  it('keeps a hundred silent names from holding up another one', async () => {
    const system: string[] = [];
    const lookUp = (name: string): Promise<readonly string[]> => {
      system.push(name);
      return Promise.resolve(['10.0.0.9']);
    };
    const resolve = createResolver(new Map(), lookUp, impatientQuery);
    let silent = 100;
    const waiting = Array.from({ length: silent }, async (_, at) => {
      await assert.rejects(resolve(`${at}.silent.test`, never), { failure: { kind: 'timeout', during: 'connect' } });
      silent -= 1;
    });

    assert.deepEqual(await resolve('both.test', never), ['10.0.0.1', 'fd00::1']);
    assert.deepEqual(await resolve('file.test', never), ['10.0.0.9']);
    await assert.rejects(resolve('gone.test', never), { failure: { kind: 'dns' } });
    assert.ok(silent > 0, 'none was waited for');
    await Promise.all(waiting);
    assert.deepEqual(system, ['file.test']);
  });
});
