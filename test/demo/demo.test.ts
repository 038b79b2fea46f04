import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { CHAPTERS, type Chapter, type Verdict } from '../../webhook/demo/chapters.ts';
import { runDemo, type DemoOptions } from '../../webhook/demo/demo.ts';
import { openPage, type PageStream } from '../../webhook/demo/page.ts';
import { readDocuments } from '../../webhook/manifests/documents.ts';
import { createKeyRing } from '../certs/key-ring.ts';

const makeKeys = createKeyRing();

/** A stream that keeps what is written, and tells it to whoever waits. */
function createSink(
  terminal: Pick<PageStream, 'isTTY' | 'columns'> = {},
  onText: (all: string) => void = () => undefined,
) {
  let all = '';
  const stream: PageStream = {
    ...terminal,
    write: (written) => {
      all += written;
      onText(all);
    },
  };
  return { stream, text: () => all };
}

type Play = Partial<Pick<DemoOptions, 'mode' | 'signal' | 'chapters'>> & {
  readonly environment?: Readonly<Record<string, string>>;
};

async function play(stream: PageStream, { environment = {}, ...options }: Play = {}): Promise<number> {
  const { mode = 'run', signal = new AbortController().signal } = options;
  return runDemo({ ...options, page: openPage(stream, environment), mode, signal, makeKeys });
}

const scenes = CHAPTERS.flatMap((chapter) => chapter.scenes);
const widest = (page: string): number => Math.max(...page.split('\n').map((line) => line.length));
/** As it was before it was broken into lines. */
const unbroken = (page: string): string => page.replace(/\s+/gu, ' ');

describe('the demo', () => {
  it('tells of all six causes and every object, as narrow as asked for and without colours, and ends with 0', async () => {
    const sink = createSink();

    const code = await play(sink.stream, { environment: { COLUMNS: '50', FORCE_COLOR: '1' } });

    const stdout = sink.text();
    const lines = stdout.split('\n');
    assert.equal(code, 0);
    assert.deepEqual(
      lines.filter((line) => /^\d\. /u.test(line)).map((line) => line.slice(0, 1)),
      ['1', '2', '3', '4', '5', '6'],
    );
    assert.ok(widest(stdout) <= 50, `${widest(stdout)} columns`);
    assert.ok(!stdout.includes('\u001b'));
    for (const { object } of scenes) assert.ok(stdout.includes(`${object}:`), object);
    assert.match(unbroken(stdout), /Every verdict is the expected one\./u);
  });

  describe('with --keep, where every expectation is wrong', () => {
    let ends: Promise<number>;
    let page = '';
    let answer = '';
    let folder = '';
    let hasSettings = false;
    before(async () => {
      const stopping = new AbortController();
      const { promise: pasted, resolve } = Promise.withResolvers<RegExpExecArray>();
      const sink = createSink({ isTTY: true, columns: 100 }, (all) => {
        const command = /--cacert (?<folder>\S+)\/ca\.crt(?:.|\n)*'(?<url>https:[^']+)'(?:.|\n)*--policy/u.exec(
          stripVTControlCharacters(all),
        );
        if (command !== null) resolve(command);
      });
      ends = play(sink.stream, { mode: 'keep', signal: stopping.signal, chapters: misled(CHAPTERS) });
      const { groups } = await pasted;
      folder = groups?.['folder'] ?? '';
      answer = await send(groups?.['url'] ?? '', join(folder, 'ca.crt'), join(folder, 'review.json'));
      hasSettings = existsSync(join(folder, 'certs.d')) && existsSync(join(folder, 'manifest.yaml'));
      stopping.abort();
      await ends;
      page = stripVTControlCharacters(sink.text());
    });

    it('ends with 1 and names each verdict that is not as expected, and leaves nothing listening', async () => {
      const complaints = [...unbroken(page).matchAll(/(?<object>\w+\/[\w-]+): expected /gu)];
      assert.equal(await ends, 1);
      assert.deepEqual(
        complaints.map((match) => match.groups?.['object']),
        scenes.flatMap(({ object, expected }) => expected.map(() => object)),
      );
      // what is there to be copied is never broken
      const [told = ''] = page.split('All of it is still running');
      assert.ok(widest(told) <= 100);
      const ports = new Set([...page.matchAll(/\.test:(?<port>\d+)/gu)].map((match) => Number(match.groups?.['port'])));
      assert.ok(ports.size >= 11);
      assert.deepEqual(
        await Promise.all([...ports].map(isListening)),
        [...ports].map(() => false),
      );
      assert.equal(await countServers(), 0);
    });

    it('answers reviews sent by hand meanwhile, and leaves no file behind', () => {
      assert.match(answer, /"allowed":false/u);
      assert.ok(hasSettings);
      assert.ok(!existsSync(folder));
    });
  });

  it('prints manifest and policy as YAML, with every placeholder filled in', async () => {
    const sink = createSink();

    const exitCode = await play(sink.stream, { mode: 'print' });

    const documents = readDocuments(sink.text(), 'stdout');
    assert.equal(exitCode, 0);
    assert.ok(documents.ok && documents.value.some(({ object }) => object['kind'] === 'PullPolicy'));
    assert.doesNotMatch(sink.text(), /:PORT\b|CA CERTIFICATE$/mu);
  });

  it('ends at once when it is interrupted', async () => {
    const stopping = new AbortController();
    const sink = createSink({}, (all) => {
      if (all.includes('2. ')) stopping.abort();
    });

    assert.equal(await play(sink.stream, { signal: stopping.signal }), 130);
    assert.ok(!sink.text().includes('3. '));
  });
});

/** The same chapters with every expectation wrong in one of its three parts. */
function misled(chapters: readonly Chapter[]): readonly Chapter[] {
  let count = 0;
  const turned = (verdict: Verdict): Verdict => {
    count += 1;
    if (count % 3 === 0) return { ...verdict, outcome: verdict.outcome === 'unreachable' ? 'pullable' : 'unreachable' };
    if (count % 3 === 1) return { ...verdict, isProven: !verdict.isProven };
    return { ...verdict, action: verdict.action === 'deny' ? 'warn' : 'deny' };
  };
  return chapters.map((chapter) => ({
    ...chapter,
    scenes: chapter.scenes.map((scene) => ({ ...scene, expected: scene.expected.map(turned) })),
  }));
}

const listeners = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;

/** What listens in this process, once handles that are closing have had their turn. */
async function countServers(): Promise<number> {
  // oxlint-disable-next-line no-await-in-loop -- waiting in turn
  for (let turns = 0; listeners() > 0 && turns < 100; turns += 1) await sleep(20);
  return listeners();
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

function send(url: string, authorityFile: string, bodyFile: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/json' };
  const call = request(url, { method: 'POST', ca: readFileSync(authorityFile), headers }, (response) => {
    text(response).then(resolve, reject);
  });
  call.on('error', reject);
  call.end(readFileSync(bodyFile));
  return promise;
}
