import { isGoTime } from './go-time.ts';
import { isJsonObject, isTextList, type JsonObject } from './json.ts';

type Rules = Readonly<Record<string, readonly [fits: (value: unknown) => boolean, what: string]>>;

/** How Go's types for a manifest have the fields that nothing here reads (OCI image spec, specs-go/v1). */
const FIELDS: Rules = Object.freeze({
  schemaVersion: [Number.isInteger, 'a whole number'],
  mediaType: [isText, 'text'],
  artifactType: [isText, 'text'],
  data: [isBase64, 'base64'],
  urls: [isTextList, 'a list of texts'],
  annotations: [(value) => isJsonObject(value) && isTextList(Object.values(value)), 'an object of texts'],
  platform: [isJsonObject, 'an object'],
  subject: [isJsonObject, 'an object'],
});
const PLATFORM_FIELDS: Rules = Object.freeze({
  os: [isText, 'text'],
  architecture: [isText, 'text'],
  variant: [isText, 'text'],
  'os.version': [isText, 'text'],
  'os.features': [isTextList, 'a list of texts'],
});

/**
 * What not every runtime takes in a manifest or an index that is sound otherwise, and no tool writes: a field of another
 * type than Go has it, which only who knows the field refuses; a size below zero, which some releases of containerd
 * pass over; an entry or a list that is `null`. No proof of anything, and no image to rely on.
 */
export function oddityOf(document: JsonObject, kind: 'index' | 'manifest'): string | undefined {
  const { config, layers, manifests, subject } = document;
  const lists = kind === 'index' ? ['fsLayers', 'config', 'layers'] : ['fsLayers', 'manifests'];
  const nothing = lists.find((name) => document[name] === null);
  if (nothing !== undefined) return `its "${nothing}" is null`;
  if (Array.isArray(manifests) && manifests.includes(null)) return 'its "manifests" hold null';
  const descriptors = [config, subject, ...listOf(layers), ...listOf(manifests)].filter(isJsonObject);
  if (descriptors.some(({ size }) => typeof size === 'number' && size < 0)) return 'a size in it is below zero';
  const platforms = descriptors.map(({ platform }) => platform).filter(isJsonObject);
  for (const one of [document, ...descriptors]) {
    const misfit = misfitOf(one, FIELDS);
    if (misfit !== undefined) return misfit;
  }
  return platforms.map((one) => misfitOf(one, PLATFORM_FIELDS)).find((one) => one !== undefined);
}

/** Go's types for an image's config (OCI image spec, specs-go/v1 `Image`), but for what a pull looks at anyway. */
const CONFIG_FIELDS: Rules = Object.freeze({
  created: [isTime, 'a time'],
  author: [isText, 'text'],
  os: [isText, 'text'],
  architecture: [isText, 'text'],
  variant: [isText, 'text'],
  'os.version': [isText, 'text'],
  'os.features': [isTextList, 'a list of texts'],
  config: [isJsonObject, 'an object'],
  rootfs: [isJsonObject, 'an object'],
  history: [(value) => Array.isArray(value) && value.every(isJsonObject), 'a list of objects'],
});
const RUN_FIELDS: Rules = Object.freeze({
  User: [isText, 'text'],
  WorkingDir: [isText, 'text'],
  StopSignal: [isText, 'text'],
  ArgsEscaped: [isFlag, 'true or false'],
  Env: [isTextList, 'a list of texts'],
  Entrypoint: [isTextList, 'a list of texts'],
  Cmd: [isTextList, 'a list of texts'],
  ExposedPorts: [isJsonObject, 'an object'],
  Volumes: [isJsonObject, 'an object'],
  Labels: [(value) => isJsonObject(value) && isTextList(Object.values(value)), 'an object of texts'],
});
const ROOTFS_FIELDS: Rules = Object.freeze({ type: [isText, 'text'], diff_ids: [isTextList, 'a list of texts'] });
const HISTORY_FIELDS: Rules = Object.freeze({
  created: [isTime, 'a time'],
  created_by: [isText, 'text'],
  author: [isText, 'text'],
  comment: [isText, 'text'],
  empty_layer: [isFlag, 'true or false'],
});

/** What not every runtime takes in a config that is sound otherwise, and no tool writes: no proof of anything. */
export function configOddityOf(document: JsonObject): string | undefined {
  const { config, rootfs, history } = document;
  return (
    misfitOf(document, CONFIG_FIELDS) ??
    (isJsonObject(config) ? misfitOf(config, RUN_FIELDS) : undefined) ??
    (isJsonObject(rootfs) ? misfitOf(rootfs, ROOTFS_FIELDS) : undefined) ??
    listOf(history)
      .filter(isJsonObject)
      .map((one) => misfitOf(one, HISTORY_FIELDS))
      .find((one) => one !== undefined)
  );
}

function misfitOf(value: JsonObject, rules: Rules): string | undefined {
  for (const [name, [fits, what]] of Object.entries(rules)) {
    const member = value[name] ?? undefined;
    if (member !== undefined && !fits(member)) return `"${name}" in it is not ${what}`;
  }
  return undefined;
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && isGoTime(value);
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/** As Go reads bytes in JSON: the standard alphabet with its padding, line ends anywhere. */
function isBase64(value: unknown): boolean {
  const text = typeof value === 'string' ? value.replaceAll(/[\r\n]/gu, '') : '-';
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/u.test(text);
}
