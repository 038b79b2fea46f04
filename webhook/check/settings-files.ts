import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { diskTree } from '../node/file-tree.ts';
import type { ConfigPath, NodeSetup } from '../node/settings.ts';
import { unreadIn } from './settings-folder.ts';

/** A file as it was read, under the name that messages use. */
export type NamedText = { readonly name: string; readonly text: string };

/** Reads one file that a flag names, or notes a mistake. */
export type ReadNamed = (flag: string, path: string) => NamedText | undefined;

/**
 * `--certs-d`, as containerd's config_path: a folder, or a list of folders. Of a list one may be missing, as
 * containerd's default names two.
 */
export function readConfigPath(text: string | undefined, mistakes: string[]): ConfigPath | undefined {
  if (text === undefined) return undefined;
  const paths = text.split(':').filter((path) => path !== '');
  const trees = paths.map((path) => diskTree(path));
  const there = paths.filter((path) => existsSync(path));
  // where there is none, the first tells it
  const unread = (there.length > 0 ? there : paths.slice(0, 1)).flatMap((path) => unreadIn(path));
  mistakes.push(...unread.map((why) => `--certs-d ${why}`));
  return { text, trees };
}

/** `--registries-conf-d`, as containers/image walks it: what ends in .conf, by name, nothing beneath. */
export function readDropIns(
  folder: string | undefined,
  read: ReadNamed,
  mistakes: string[],
): readonly NamedText[] | undefined {
  if (folder === undefined) return undefined;
  const tree = diskTree(folder);
  const names = tree.list('');
  if (names === undefined) mistakes.push(...unreadIn(folder).map((why) => `--registries-conf-d ${why}`));
  return names
    ?.filter((name) => name.endsWith('.conf') && tree.list(name) === undefined)
    .flatMap((name) => read('--registries-conf-d', join(folder, name)) ?? []);
}

/** A list of folders is no folder: `configPath` counts then, else `certsD`. */
export function withConfigPath(setup: NodeSetup, chosen: ConfigPath | undefined): NodeSetup {
  if (chosen === undefined) return setup;
  const { configPath: _declared, ...rest } = setup;
  return chosen.text.includes(':') ? { ...rest, configPath: chosen } : { ...rest, certsD: chosen.trees[0] };
}

/** Each flag takes the place of the one part that it names: registries.conf, or all of its drop-ins. */
export function registriesFiles(
  declared: NodeSetup['crio']['registriesConf'],
  given: { readonly main: NamedText | undefined; readonly dropIns: readonly NamedText[] | undefined },
): readonly NamedText[] {
  const isDropIn = ({ name }: NamedText): boolean => name.includes('registries.conf.d/');
  return [
    ...(given.main === undefined ? declared.filter((one) => !isDropIn(one)) : [given.main]),
    ...(given.dropIns ?? declared.filter(isDropIn)),
  ];
}
