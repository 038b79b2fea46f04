import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { NAMESPACE, REVIEW_PATH } from './api-server.ts';
import { paragraph, type Page } from './page.ts';
import { reviewOf } from './review.ts';
import type { Stage } from './stage.ts';

/** Leaves everything running until `signal` aborts, with lines to paste and the files that they name. */
export async function keepRunning(stage: Stage, page: Page, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pullguard-demo-'));
  try {
    await writeFiles(stage, folder);
    page.print(pasteLines(stage, folder, page));
    await untilAborted(signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeFiles(stage: Stage, folder: string): Promise<void> {
  const [first] = stage.objects;
  const files: Readonly<Record<string, string>> = {
    'ca.crt': stage.webhookAuthority,
    'manifest.yaml': stage.manifestText,
    'policy.yaml': stage.policyText,
    'review.json': `${JSON.stringify(reviewOf(first ?? {}, NAMESPACE), undefined, 2)}\n`,
    ...Object.fromEntries(
      Object.entries(stage.policy.nodes.containerd.certsD).map(([path, text]) => [join('certs.d', path), text]),
    ),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    // one folder may be made by several files
    // oxlint-disable-next-line no-await-in-loop
    await mkdir(dirname(path), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(path, text);
  }
}

/** Commands are broken at their arguments, as a shell reads them, and nowhere else: they are there to be copied. */
function pasteLines(stage: Stage, folder: string, page: Page): readonly string[] {
  const imageOf = (name: string): string =>
    new RegExp(`${name}:\\d+/[\\w./-]+:[\\w.]+`, 'u').exec(stage.manifestText)?.[0] ?? '';
  const addHosts = stage.registryNames.map((name) => `--add-host ${name}:127.0.0.1`);
  const heading = (text: string): readonly string[] => [
    '',
    ...paragraph(page, text, 0, { length: text.length, style: 'strong' }),
  ];
  return [
    ...heading('All of it is still running, until Ctrl-C. In another terminal:'),
    ...heading('A review, as the API server sends it'),
    ...command([
      `curl -sS --cacert ${folder}/ca.crt`,
      "--header 'Content-Type: application/json'",
      `--data @${folder}/review.json`,
      `'https://127.0.0.1:${stage.webhookPort}${REVIEW_PATH}'`,
    ]),
    ...heading('One image from the command line, with the course of the check'),
    ...command([
      'npx pullguard check --explain',
      `--certs-d ${folder}/certs.d`,
      '--add-host intranet.test:127.0.0.1',
      imageOf('intranet.test'),
    ]),
    ...heading('The whole manifest, as in CI'),
    ...command([`npx pullguard check -f ${folder}/manifest.yaml`, `--policy ${folder}/policy.yaml`, ...addHosts]),
  ];
}

const command = (parts: readonly string[]): readonly string[] =>
  parts.map((part, at) => `${at === 0 ? '' : '  '}${part}${at === parts.length - 1 ? '' : ' \\'}`);

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
