import { parseDigest, type Digest } from '../../../webhook/image/digest.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../support/scripted-registry.ts';
import { CONTENT_CONDITIONS } from './content-conditions.ts';
import { ARCHIVE_CONDITIONS } from './archive-conditions.ts';
import { DOCUMENT_CONDITIONS } from './document-conditions.ts';
import { ENTRY_CONDITIONS } from './entry-conditions.ts';
import { INDEX_CONDITIONS } from './index-conditions.ts';
import { MANIFEST_CONDITIONS } from './manifest-conditions.ts';
import { REFUSAL_CONDITIONS } from './refusal-conditions.ts';
import { RESOLVE_CONDITIONS } from './resolve-conditions.ts';
import { hostOf, overHttp, type Stage } from './stage.ts';

const ROWS = [
  ...RESOLVE_CONDITIONS,
  ...REFUSAL_CONDITIONS,
  ...ENTRY_CONDITIONS,
  ...DOCUMENT_CONDITIONS,
  ...ARCHIVE_CONDITIONS,
  ...INDEX_CONDITIONS,
  ...MANIFEST_CONDITIONS,
  ...CONTENT_CONDITIONS,
];

/** Every row of the registry tables, in one registry over plain HTTP, and references by digest to it. */
export async function addSharedConditions({ keep, add }: Stage): Promise<void> {
  const bends = ROWS.flatMap((row) => row.bends?.(row.id) ?? []);
  const shared = keep(await startScriptedRegistry({ bends }));
  const host = hostOf(shared);
  for (const { id, rule, fill, damage, contentOnly, openBecause } of ROWS) {
    const named = fill(shared.store.repository(id));
    if (damage !== undefined) removePart(shared, id, damage);
    add({ id, rule, image: `${host}/${named ?? `${id}:1`}`, node: overHttp(host), contentOnly, openBecause });
  }
  const sound = shared.store.repository('by-digest').addImage();
  const blob = shared.store.repository('by-digest').addBlob(Buffer.from('only a blob'));
  add({ id: 'digest-sound', rule: 'A8', image: `${host}/by-digest@${sound.digest}` });
  add({ id: 'digest-absent', rule: 'D14', image: `${host}/by-digest@sha256:${'ef'.repeat(32)}` });
  add({ id: 'digest-of-a-blob', rule: 'D14', image: `${host}/by-digest@${blob.digest}` });
  add({ id: 'digest-beats-absent-tag', rule: 'J4', image: `${host}/by-digest:nowhere@${sound.digest}` });
  shared.store.repository('never').addImage({ tags: ['1'] });
  add({ id: 'never-absent', rule: 'B2', image: `${host}/never:1`, pullPolicy: 'Never' });
}

type Part = 'child' | 'config' | 'layer';
type Document = {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
};

function removePart({ store }: ScriptedRegistry, repository: string, part: Part): void {
  const document = JSON.parse(new TextDecoder().decode(store.findManifest(repository, '1')?.body)) as Document;
  const parts = { child: document.manifests?.[0], config: document.config, layer: document.layers?.[0] };
  store.damage(digestOf(parts[part]?.digest ?? ''), 'removed');
}

function digestOf(text: string): Digest {
  const digest = parseDigest(text);
  if (!digest.ok) throw new Error(digest.error);
  return digest.value;
}
