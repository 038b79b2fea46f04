import type { KeySource } from '../../certs/key-pair.ts';
import { CHAPTERS, type Chapter, type Scene } from './chapters.ts';
import { keepRunning } from './keep.ts';
import { applyOutput } from './kubectl.ts';
import { mismatches } from './mismatch.ts';
import { paragraph, type Page } from './page.ts';
import { nameOf, type Written } from './review.ts';
import { startStage, type Applied, type Stage } from './stage.ts';
import { summaryTable, type Row } from './summary-table.ts';

export type DemoOptions = {
  readonly page: Page;
  /** `print` shows manifest and policy as they would be used; `keep` leaves all running after the last scene. */
  readonly mode: 'run' | 'keep' | 'print';
  /** Ends it early, and `keep` at all. */
  readonly signal: AbortSignal;
  /** Default: all that there are. */
  readonly chapters?: readonly Chapter[];
  /** Of the certificates. Default: new ones. */
  readonly makeKeys?: KeySource;
};

/** Runs the demo and leaves nothing behind. 0 where every verdict is as expected, 1 where one is not, 130 after Ctrl-C. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { page, mode, signal, chapters = CHAPTERS } = options;
  const startedAt = performance.now();
  if (mode !== 'print') page.print(introduction(page));
  const stage = await startStage(options.makeKeys);
  try {
    if (mode === 'print') {
      page.print(texts(stage));
      return 0;
    }
    const played = await playAll(stage, chapters, page, signal);
    if (signal.aborted) return INTERRUPTED;
    const seconds = (performance.now() - startedAt) / 1000;
    page.print(['', ...summaryTable(page, played.flatMap(rowsOf)), '', ...conclusion(page, played, seconds)]);
    if (mode === 'keep') await keepRunning(stage, page, signal);
    return played.some(({ wrong }) => wrong.length > 0) ? 1 : 0;
  } catch (error) {
    // Ctrl-C breaks off the review under way
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    await stage.close();
  }
}

/** What a shell reports for a program that Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

type Played = Applied & { readonly scene: Scene; readonly wrong: readonly string[] };

async function playAll(
  stage: Stage,
  chapters: readonly Chapter[],
  page: Page,
  signal: AbortSignal,
): Promise<readonly Played[]> {
  const objects = new Map(stage.objects.map((object) => [titleOf(object), object]));
  const played: Played[] = [];
  for (const [at, { title, scenes }] of chapters.entries()) {
    const heading = `${at + 1}. ${title}`;
    page.print(['', ...paragraph(page, heading, 0, { length: heading.length, style: 'strong' })]);
    for (const scene of scenes) {
      if (signal.aborted) return played;
      const object = objects.get(scene.object);
      objects.delete(scene.object);
      if (object === undefined) throw new Error(`the manifest has no ${scene.object}`);
      // told in turn, and each review is timed alone
      // oxlint-disable-next-line no-await-in-loop
      const applied = await stage.apply(object, signal);
      played.push({ ...applied, scene, wrong: mismatches(scene, applied) });
      page.print(sceneLines(page, scene, object, applied));
    }
  }
  const [untold] = objects.keys();
  if (untold !== undefined) throw new Error(`the demo expects nothing of ${untold}`);
  return played;
}

function titleOf(object: Written): string {
  const { kind, name } = nameOf(object);
  return `${kind}/${name}`;
}

function sceneLines(page: Page, { object, story }: Scene, written: Written, { admission }: Applied): readonly string[] {
  return [
    '',
    ...paragraph(page, `${object}: ${story}`, 2, { length: object.length, style: 'strong' }),
    ...applyOutput(written, admission, 'manifest.yaml').flatMap(({ text, start, style }) =>
      paragraph(page, text, 4, { length: start, style }),
    ),
  ];
}

function rowsOf({ scene, images }: Played): readonly Row[] {
  return images.map(({ image, outcome, action, requests, millis }) => {
    return { object: scene.object, image: withShortDigest(image), cause: outcome, action, requests, millis };
  });
}

/** A digest is told by its first characters. */
const withShortDigest = (image: string): string => image.replace(/(?<=@sha256:[0-9a-f]{12})[0-9a-f]+$/u, '');

function introduction(page: Page): readonly string[] {
  const text =
    'In a moment, registries on this machine will go wrong in each of the six ways that end in ImagePullBackOff. ' +
    'The webhook, started here as in a cluster, is then asked about every object of a manifest, and you read what kubectl apply would print.';
  return paragraph(page, text);
}

function conclusion(page: Page, played: readonly Played[], seconds: number): readonly string[] {
  const count = (isOne: (one: Played) => boolean): number => played.filter(isOne).length;
  const refused = count(({ admission }) => !admission.isAllowed);
  const warned = count(
    ({ images, admission }) => admission.isAllowed && images.some(({ action }) => action === 'warn'),
  );
  const sum = `${played.length} objects: ${refused} refused, ${warned} admitted with a warning, ${played.length - refused - warned} admitted.`;
  const wrong = played.flatMap((one) => one.wrong);
  const verdict = wrong.length === 0 ? 'Every verdict is the expected one.' : `Not as expected: ${wrong.length}.`;
  return [
    ...paragraph(page, '0 requests: known from the name, from the pull secret, or from a moment ago.'),
    '',
    ...paragraph(page, `${sum} ${verdict} All of it took ${seconds.toFixed(1)} s.`),
    ...wrong.flatMap((text) => paragraph(page, text, 2, { length: text.length, style: 'bad' })),
  ];
}

function texts(stage: Stage): readonly string[] {
  return ['# manifest.yaml', stage.manifestText.trimEnd(), '---', '# policy.yaml', stage.policyText.trimEnd()];
}
