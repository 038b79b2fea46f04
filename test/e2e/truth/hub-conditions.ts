import { basicAuth } from '../../../webhook/demo/registry.ts';
import type { TruthSecret } from './condition.ts';
import { config, hostOf, PASSWORD, RIGHT, USER, WRONG, type Stage } from './stage.ts';

/** pull-parity A2, A3, C6 and C7: Docker Hub, whose images the node's settings take from a mirror alone. */
export async function addHubConditions({ registry, add }: Stage): Promise<void> {
  const server = await registry({ auth: basicAuth({ [USER]: PASSWORD }) });
  const open = await registry();
  for (const { store } of [server, open]) {
    for (const name of ['library/pullguard-truth', 'me/pullguard-truth', 'library/localhost']) {
      store.repository(name).addImage({ tags: ['1', 'latest'], layers: [{ name }] });
    }
  }
  const toml = (to: { readonly port: number }): string => `server = "http://${hostOf(to)}"\n`;
  const node = { 'docker.io/hosts.toml': toml(server), 'index.docker.io/hosts.toml': toml(open) };
  const row = (id: string, image: string, ...secrets: readonly TruthSecret[]): void =>
    add({ id: `hub-${id}`, rule: 'C6', image, node, secrets });
  const names = {
    short: 'pullguard-truth:1',
    'short-untagged': 'pullguard-truth',
    user: 'me/pullguard-truth:1',
    'index-docker-io': 'index.docker.io/library/pullguard-truth:1',
    absent: 'pullguard-truth-absent:1',
    'tag-absent': 'pullguard-truth:2',
    'localhost-short': 'localhost:1',
    'upper-case': 'Pullguard-truth:1',
  };
  for (const [id, image] of Object.entries(names)) row(id, image, config({ 'https://index.docker.io/v1/': RIGHT }));
  row('no-login', 'pullguard-truth:1');
  row('wrong-login', 'pullguard-truth:1', config({ 'https://index.docker.io/v1/': WRONG }));
  const keys = {
    index: 'index.docker.io',
    'index-v1-bare': 'https://index.docker.io/v1',
    plain: 'docker.io',
    'plain-library': 'docker.io/library',
    'plain-other-path': 'docker.io/me',
    'registry-1': 'registry-1.docker.io',
    glob: '*.docker.io',
    'upper-case': 'Docker.io',
    mirror: hostOf(server),
  };
  for (const [id, key] of Object.entries(keys)) row(`key-${id}`, 'pullguard-truth:1', config({ [key]: RIGHT }));
  row('two-keys', 'pullguard-truth:1', config({ 'docker.io': WRONG, 'https://index.docker.io/v1/': RIGHT }));
  row(
    'two-index-keys',
    'pullguard-truth:1',
    config({ 'index.docker.io': WRONG }),
    config({ 'https://index.docker.io/v1/': RIGHT }),
  );
  // named by another name of the hub the settings are others
  add({
    id: 'hub-registry-1',
    rule: 'A3',
    image: 'registry-1.docker.io/library/pullguard-truth:1',
    node: { 'registry-1.docker.io/hosts.toml': toml(open) },
  });
  add({
    id: 'hub-registry-1-index-key',
    rule: 'C7',
    image: 'registry-1.docker.io/library/pullguard-truth:1',
    node: { 'registry-1.docker.io/hosts.toml': toml(open) },
    secrets: [config({ 'https://index.docker.io/v1/': WRONG })],
  });
}
