import { status } from '../../support/bend.ts';
import type { ScriptedRegistry } from '../../support/scripted-registry.ts';
import type { Asked, Condition } from '../condition.ts';
import { appOf, insecure, named, type Stage } from '../stage.ts';

type Pair = {
  readonly mirror: ScriptedRegistry;
  readonly upstream: ScriptedRegistry;
  /** `mirror.truth.test:PORT` and `reg.truth.test:PORT`. */
  readonly m: string;
  readonly u: string;
  readonly digest: string;
};

const DIGEST_OF = 'DIGEST';

/** Two registries over HTTP with the same image; `text` writes the file, `has` says who has the image at all. */
const mirrored =
  (options: {
    readonly text: (pair: Pair) => string;
    readonly has?: 'both' | 'mirror' | 'upstream';
    /** Default: by its tag. DIGEST stands for the digest. */
    readonly name?: string;
    readonly before?: (pair: Pair) => Promise<void> | void;
    readonly files?: (pair: Pair) => Readonly<Record<string, string>>;
    readonly host?: (pair: Pair) => string;
  }) =>
  async (stage: Stage): Promise<Asked> => {
    const { has = 'both', name = 'team/app:1' } = options;
    const [mirror, upstream] = await Promise.all([stage.registry(), stage.registry()]);
    const [image] = [mirror, upstream].map(({ store }) => appOf(store).addImage({ tags: ['1'] }));
    const digest = image?.digest ?? '';
    const pair: Pair = {
      mirror,
      upstream,
      m: named('mirror.truth.test', mirror),
      u: named('reg.truth.test', upstream),
      digest,
    };
    if (has === 'mirror') upstream.bend({ kind: 'manifest' }, status(404, 'MANIFEST_UNKNOWN'));
    if (has === 'upstream') mirror.bend({ kind: 'manifest' }, status(404, 'MANIFEST_UNKNOWN'));
    await options.before?.(pair);
    const host = options.host?.(pair) ?? pair.u;
    return {
      image: `${host}/${name.replace(DIGEST_OF, digest)}`,
      files: { 'registries.conf': options.text(pair), ...options.files?.(pair) },
    };
  };

const mirrorOf = (location: string, ...more: readonly string[]): string =>
  `[[registry.mirror]]\nlocation = "${location}"\ninsecure = true\n${more.join('\n')}\n`;
const usual = ({ m, u }: Pair): string => insecure(u) + mirrorOf(m);
const byDigest = `team/app@${DIGEST_OF}`;
const moved = (prefix: string, location: string): string =>
  `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\ninsecure = true\n`;
const blocking = (location: string): string => `[[registry]]\nlocation = "${location}"\nblocked = true\n`;

export const REGISTRIES: readonly Condition[] = [
  { name: 'a mirror that has the image', pulls: true, arrange: mirrored({ text: usual, has: 'mirror' }) },
  { name: 'a mirror that has it not', pulls: true, arrange: mirrored({ text: usual, has: 'upstream' }) },
  {
    name: 'a mirror that is down',
    pulls: true,
    arrange: mirrored({ text: usual, before: ({ mirror }) => mirror.close() }),
  },
  {
    name: 'a mirror for an upstream that is down',
    pulls: true,
    arrange: mirrored({ text: usual, before: ({ upstream }) => upstream.close() }),
  },
  {
    name: 'mirror and upstream down',
    pulls: false,
    arrange: mirrored({
      text: usual,
      before: async ({ mirror, upstream }) => {
        await Promise.all([mirror.close(), upstream.close()]);
      },
    }),
  },
  {
    name: 'a mirror that refuses',
    pulls: true,
    arrange: mirrored({
      text: usual,
      before: ({ mirror }) => mirror.bend({ kind: 'manifest' }, status(403, 'DENIED')),
    }),
  },
  {
    name: 'a mirror that fails',
    pulls: true,
    arrange: mirrored({ text: usual, before: ({ mirror }) => mirror.bend({}, status(500, 'UNKNOWN')) }),
  },
  {
    name: 'a mirror that has the manifest and no blob',
    pulls: false,
    arrange: mirrored({
      text: usual,
      before: ({ mirror }) => mirror.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN')),
    }),
  },
  {
    name: 'an upstream without blobs, behind a sound mirror',
    pulls: true,
    arrange: mirrored({
      text: usual,
      before: ({ upstream }) => upstream.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN')),
    }),
  },
  {
    name: 'a mirror over HTTP that is not insecure',
    pulls: true,
    arrange: mirrored({ text: ({ m, u }) => `${insecure(u)}[[registry.mirror]]\nlocation = "${m}"\n` }),
  },
  {
    name: 'an insecure mirror for an upstream that is not',
    pulls: true,
    arrange: mirrored({ text: ({ m, u }) => `[[registry]]\nlocation = "${u}"\n${mirrorOf(m)}` }),
  },
  {
    name: 'an insecure mirror without the image for an upstream that is not',
    pulls: false,
    arrange: mirrored({ text: ({ m, u }) => `[[registry]]\nlocation = "${u}"\n${mirrorOf(m)}`, has: 'upstream' }),
  },
  ...(['team/app:1', byDigest] as const).flatMap((name) => {
    const isDigest = name === byDigest;
    const how = isDigest ? 'a digest' : 'a tag';
    const only = (key: string) => (pair: Pair) => insecure(pair.u) + mirrorOf(pair.m, `pull-from-mirror = "${key}"`);
    const byDigestOnly = ({ m, u }: Pair): string => `${insecure(u)}mirror-by-digest-only = true\n${mirrorOf(m)}`;
    return [
      {
        name: `mirror-by-digest-only, asked for ${how}`,
        pulls: isDigest,
        arrange: mirrored({ text: byDigestOnly, has: 'mirror', name }),
      },
      {
        name: `pull-from-mirror digest-only, asked for ${how}`,
        pulls: isDigest,
        arrange: mirrored({ text: only('digest-only'), has: 'mirror', name }),
      },
      {
        name: `pull-from-mirror tag-only, asked for ${how}`,
        pulls: !isDigest,
        arrange: mirrored({ text: only('tag-only'), has: 'mirror', name }),
      },
      {
        name: `pull-from-mirror all, asked for ${how}`,
        pulls: true,
        arrange: mirrored({ text: only('all'), has: 'mirror', name }),
      },
    ];
  }),
  {
    name: 'a prefix moved to another place',
    pulls: true,
    arrange: mirrored({ text: ({ m, u }) => moved(u, m), has: 'mirror' }),
  },
  {
    name: 'a namespace moved to another one',
    pulls: true,
    arrange: mirrored({ text: ({ m, u }) => moved(`${u}/old`, `${m}/team`), name: 'old/app:1' }),
  },
  {
    name: 'a namespace moved, and another asked for',
    pulls: false,
    arrange: mirrored({ text: ({ m, u }) => moved(`${u}/old`, `${m}/team`), name: 'older/app:1' }),
  },
  {
    name: 'a prefix with a tag, which matches nothing',
    pulls: false,
    arrange: mirrored({ text: ({ m, u }) => moved(`${u}/x:9`, `${m}/team/app:1`), name: 'x:9' }),
  },
  {
    name: 'the longest of two prefixes',
    pulls: true,
    arrange: mirrored({
      text: ({ m, u }) => `${moved(u, 'gone.truth.test')}${moved(`${u}/team`, `${m}/team`)}`,
      has: 'mirror',
    }),
  },
  {
    name: 'a host without port as the prefix of one with a port',
    pulls: true,
    arrange: mirrored({ text: () => insecure('reg.truth.test') }),
  },
  {
    name: 'a wildcard with another place',
    pulls: true,
    arrange: mirrored({ text: ({ m }) => moved('*.wild.truth.test', m), host: () => 'deep.wild.truth.test' }),
  },
  {
    name: 'a wildcard that only says insecure',
    pulls: true,
    arrange: mirrored({
      text: () => '[[registry]]\nprefix = "*.truth.test"\ninsecure = true\n',
      host: ({ upstream }) => named('deep.wild.truth.test', upstream),
    }),
  },
  {
    name: 'a wildcard that stands for subdomains only',
    pulls: false,
    arrange: mirrored({ text: () => '[[registry]]\nprefix = "*.reg.truth.test"\ninsecure = true\n' }),
  },
  {
    name: 'a wildcard with a mirror',
    pulls: true,
    arrange: mirrored({
      text: ({ m }) => `[[registry]]\nprefix = "*.truth.test"\ninsecure = true\n${mirrorOf(m)}`,
      host: () => 'deep.wild.truth.test',
    }),
  },
  {
    name: 'a wildcard with a mirror, for a host whose port stays behind it',
    pulls: false,
    arrange: mirrored({ text: ({ m }) => `[[registry]]\nprefix = "*.truth.test"\ninsecure = true\n${mirrorOf(m)}` }),
  },
  { name: 'a blocked registry', pulls: false, arrange: mirrored({ text: ({ u }) => blocking(u) }) },
  {
    name: 'a blocked namespace',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => insecure(u) + blocking(`${u}/team`) }),
  },
  {
    name: 'a blocked namespace beside the one asked for',
    pulls: true,
    arrange: mirrored({ text: ({ u }) => insecure(u) + blocking(`${u}/tea`) }),
  },
  {
    name: 'a blocked mirror',
    pulls: true,
    arrange: mirrored({ text: ({ m, u }) => usual({ m, u } as Pair) + blocking(m) }),
  },
  {
    name: 'a drop-in that takes insecure back',
    pulls: false,
    arrange: mirrored({
      text: ({ u }) => insecure(u),
      files: ({ u }) => ({ 'registries.conf.d/50.conf': `[[registry]]\nlocation = "${u}"\n` }),
    }),
  },
  {
    name: 'a drop-in that adds the registry',
    pulls: true,
    arrange: mirrored({ text: () => '', files: ({ u }) => ({ 'registries.conf.d/50.conf': insecure(u) }) }),
  },
  {
    name: 'the later of two drop-ins',
    pulls: true,
    arrange: mirrored({
      text: () => '',
      files: ({ u }) => ({ 'registries.conf.d/10.conf': blocking(u), 'registries.conf.d/20.conf': insecure(u) }),
    }),
  },
  {
    name: 'a drop-in that is no .conf',
    pulls: false,
    arrange: mirrored({ text: () => '', files: ({ u }) => ({ 'registries.conf.d/50.toml': insecure(u) }) }),
  },
  {
    name: 'a registries.conf that is no TOML',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => `${insecure(u)}[[registry` }),
  },
  {
    name: 'a drop-in that is no TOML',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => insecure(u), files: () => ({ 'registries.conf.d/50.conf': '=' }) }),
  },
  {
    name: 'a [[registry]] without place',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => `${insecure(u)}[[registry]]\ninsecure = true\n` }),
  },
  {
    name: 'a place with a scheme',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => `${insecure(u)}[[registry]]\nlocation = "http://x.example"\n` }),
  },
  {
    name: 'a place that is twice, once insecure',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => `${insecure(u)}[[registry]]\nprefix = "x.example"\nlocation = "${u}"\n` }),
  },
  {
    name: 'a key that nobody knows',
    pulls: true,
    arrange: mirrored({ text: ({ u }) => `${insecure(u)}color = "red"\n` }),
  },
  {
    name: 'the lists of version 1',
    pulls: true,
    differs: 'the library reads version 1 no longer since 5.40 (2026), so nothing is judged by it',
    arrange: mirrored({ text: ({ u }) => `[registries.insecure]\nregistries = ["${u}"]\n` }),
  },
  {
    name: 'the lists of version 1 that block',
    pulls: false,
    arrange: mirrored({
      text: ({ u }) => `[registries.insecure]\nregistries = ["${u}"]\n[registries.block]\nregistries = ["${u}"]\n`,
    }),
  },
  {
    name: 'both versions at once',
    pulls: false,
    arrange: mirrored({ text: ({ u }) => `${insecure(u)}[registries.insecure]\nregistries = ["${u}"]\n` }),
  },
];
