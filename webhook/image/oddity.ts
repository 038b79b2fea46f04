type Json = Readonly<Record<string, unknown>>;

/** How Go's types for a manifest have the fields that nothing here reads (OCI image spec, specs-go/v1). */
const FIELDS: Readonly<Record<string, readonly [fits: (value: unknown) => boolean, what: string]>> = Object.freeze({
  schemaVersion: [Number.isInteger, 'a whole number'],
  mediaType: [isText, 'text'],
  artifactType: [isText, 'text'],
  data: [isText, 'text'],
  urls: [isTextList, 'a list of texts'],
  'os.features': [isTextList, 'a list of texts'],
  annotations: [(value) => isObject(value) && isTextList(Object.values(value)), 'an object of texts'],
  platform: [isObject, 'an object'],
  subject: [isObject, 'an object'],
});

/**
 * What not every runtime takes in a manifest or an index that is sound otherwise, and no tool writes: a field of another
 * type than Go has it, which only who knows the field refuses; a size below zero, which some releases of containerd
 * pass over; an entry or a list that is `null`. No proof of anything, and no image to rely on.
 */
export function oddityOf(document: Json, kind: 'index' | 'manifest'): string | undefined {
  const { config, layers, manifests } = document;
  const lists = kind === 'index' ? ['fsLayers', 'config', 'layers'] : ['fsLayers', 'manifests'];
  const nothing = lists.find((name) => document[name] === null);
  if (nothing !== undefined) return `its "${nothing}" is null`;
  if (Array.isArray(manifests) && manifests.includes(null)) return 'its "manifests" hold null';
  const descriptors = [config, ...listOf(layers), ...listOf(manifests)].filter(isObject);
  if (descriptors.some(({ size }) => typeof size === 'number' && size < 0)) return 'a size in it is below zero';
  const platforms = descriptors.map(({ platform }) => platform).filter(isObject);
  for (const one of [document, ...descriptors, ...platforms]) {
    for (const [name, [fits, what]] of Object.entries(FIELDS)) {
      const value = one[name] ?? undefined;
      if (value !== undefined && !fits(value)) return `"${name}" in it is not ${what}`;
    }
  }
  return undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
