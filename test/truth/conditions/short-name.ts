import type { Asked, Condition } from '../condition.ts';
import { appOf, insecure, type Stage } from '../stage.ts';

type Options = {
  readonly text: (first: string, second: string) => string;
  readonly files?: (first: string) => Readonly<Record<string, string>>;
  /** Default `app`. */
  readonly image?: string;
  readonly shortNameMode?: 'enforcing' | 'disabled';
};

/** Two registries over HTTP; only the second has `app:latest`, and `team/app:1` too. */
const short =
  ({ text, files, image = 'app', shortNameMode }: Options) =>
  async (stage: Stage): Promise<Asked> => {
    const [first, second] = await Promise.all([stage.registry(), stage.registry()]);
    second.store.repository('app').addImage({ tags: ['latest', '1'] });
    appOf(second.store).addImage({ tags: ['1', 'latest'] });
    return {
      image,
      ...(shortNameMode === undefined ? {} : { shortNameMode }),
      files: {
        'registries.conf': `${text(first.host, second.host)}\n${insecure(first.host)}${insecure(second.host)}`,
        ...files?.(second.host),
      },
    };
  };

const search = (...hosts: readonly string[]): string => `unqualified-search-registries = ${JSON.stringify(hosts)}`;
const mode = (name: string) => (first: string, second: string) =>
  `${search(first, second)}\nshort-name-mode = "${name}"`;

export const SHORT_NAMES: readonly Condition[] = [
  { name: 'a short name without anywhere to look', pulls: false, arrange: short({ text: () => '' }) },
  {
    name: 'a short name and one registry that has it',
    pulls: true,
    arrange: short({ text: (_, second) => search(second) }),
  },
  {
    name: 'a short name and one registry that has it not',
    pulls: false,
    arrange: short({ text: (first) => search(first) }),
  },
  {
    name: 'a short name with a tag',
    pulls: true,
    arrange: short({ text: (_, second) => search(second), image: 'app:1' }),
  },
  {
    name: 'a short name with a namespace',
    pulls: true,
    arrange: short({ text: (_, second) => search(second), image: 'team/app:1' }),
  },
  {
    name: 'a short name and two registries, enforcing',
    pulls: false,
    arrange: short({ text: mode('enforcing'), shortNameMode: 'enforcing' }),
  },
  {
    name: 'a short name and two registries, disabled',
    pulls: true,
    arrange: short({ text: mode('disabled'), shortNameMode: 'disabled' }),
  },
  {
    name: 'a short name and two registries, permissive',
    pulls: true,
    differs: 'CRI-O takes its mode from crio.conf, where it is enforcing unless set; what is not declared is no proof',
    arrange: short({ text: mode('permissive') }),
  },
  {
    name: 'a short name and two registries, no mode',
    pulls: true,
    differs: 'without a mode podman is permissive, CRI-O enforcing since 1.34',
    arrange: short({ text: (first, second) => search(first, second) }),
  },
  {
    name: 'a short name and two registries before CRI-O 1.34',
    runtime: 'crio@1.33',
    pulls: true,
    arrange: short({ text: mode('permissive') }),
  },
  {
    name: 'a mode that nobody knows',
    pulls: false,
    arrange: short({ text: (_, second) => `${search(second)}\nshort-name-mode = "strict"` }),
  },
  {
    name: 'an alias',
    pulls: true,
    arrange: short({
      text: (first, second) => `${search(first)}\n[aliases]\nthing = "${second}/team/app"`,
      image: 'thing',
    }),
  },
  {
    name: 'an alias asked for with a tag',
    pulls: true,
    arrange: short({
      text: (first, second) => `${search(first)}\n[aliases]\nthing = "${second}/team/app"`,
      image: 'thing:1',
    }),
  },
  {
    name: 'an alias with a namespace',
    pulls: true,
    arrange: short({
      text: (first, second) => `${search(first)}\n[aliases]\n"my/thing" = "${second}/team/app"`,
      image: 'my/thing',
    }),
  },
  {
    name: 'an alias of another namespace',
    pulls: false,
    arrange: short({
      text: (first, second) => `${search(first)}\n[aliases]\n"my/thing" = "${second}/team/app"`,
      image: 'thing',
    }),
  },
  {
    name: 'an alias of a drop-in',
    pulls: true,
    arrange: short({
      text: (first) => `${search(first)}\n[aliases]\nthing = "${first}/team/app"`,
      files: (second) => ({ 'registries.conf.d/50.conf': `[aliases]\nthing = "${second}/team/app"\n` }),
      image: 'thing',
    }),
  },
  {
    name: 'an alias that a drop-in takes back',
    pulls: true,
    arrange: short({
      text: (first, second) => `${search(second)}\n[aliases]\napp = "${first}/team/app"`,
      files: () => ({ 'registries.conf.d/50.conf': '[aliases]\napp = ""\n' }),
    }),
  },
  {
    name: 'a search list that a drop-in replaces',
    pulls: true,
    arrange: short({
      text: (first) => search(first),
      files: (second) => ({ 'registries.conf.d/50.conf': `${search(second)}\n` }),
    }),
  },
  {
    name: 'a search list that a drop-in empties',
    pulls: false,
    arrange: short({
      text: (_, second) => search(second),
      files: () => ({ 'registries.conf.d/50.conf': `${search()}\n` }),
    }),
  },
  {
    name: 'an alias with a tag',
    pulls: false,
    arrange: short({ text: (_, second) => `[aliases]\nthing = "${second}/team/app:1"`, image: 'thing' }),
  },
  {
    name: 'an alias for a name with a registry',
    pulls: false,
    arrange: short({ text: (_, second) => `${search(second)}\n[aliases]\n"localhost/app" = "${second}/team/app"` }),
  },
  {
    name: 'an alias for a name with a tag',
    pulls: false,
    arrange: short({ text: (_, second) => `${search(second)}\n[aliases]\n"app:1" = "${second}/team/app"` }),
  },
  {
    name: 'an alias to a host that is no name with dots',
    pulls: false,
    arrange: short({ text: (_, second) => `${search(second)}\n[aliases]\nthing = "Registry/app"` }),
  },
  {
    name: 'aliases that are no table',
    pulls: true,
    arrange: short({ text: (_, second) => `${search(second)}\naliases = "${second}/app"` }),
  },
  {
    name: 'a first part with an underscore, which is no host',
    pulls: false,
    arrange: short({ text: (_, second) => search(second), image: 'team_a.example/app' }),
  },
  {
    name: 'the alias of such a name',
    pulls: true,
    arrange: short({
      text: (_, second) => `${search(second)}\n[aliases]\n"team_a.example/app" = "${second}/team/app"`,
      image: 'team_a.example/app:1',
    }),
  },
  {
    name: 'a search list with a scheme',
    pulls: false,
    arrange: short({ text: (_, second) => search(`http://${second}`) }),
  },
  {
    name: 'a host that is no name with dots',
    pulls: false,
    arrange: short({ text: (_, second) => search(second), image: 'Registry/app' }),
  },
  {
    name: 'an IPv6 address',
    pulls: false,
    arrange: short({ text: (_, second) => search(second), image: '[::1]:5000/app' }),
  },
];
