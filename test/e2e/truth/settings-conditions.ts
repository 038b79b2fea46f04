import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { delay, status } from '../../support/bend.ts';
import { HOST, hostOf, MIRROR_HOST, overHttp, PASSWORD, USER, type Stage } from './stage.ts';

/** pull-parity D17 and E2 to E4: mirrors, and the rest of what hosts.toml says. */
export async function addSettingsConditions({ registry, add, deadPort }: Stage): Promise<void> {
  type Sides = { readonly mirror: readonly Bend[]; readonly upstream: readonly Bend[]; readonly capabilities?: string };
  const mirrored = async (
    id: string,
    rule: string,
    { mirror, upstream, capabilities = '"pull", "resolve"' }: Sides,
  ): Promise<void> => {
    const first = await registry({ bends: mirror });
    const last = await registry({ bends: upstream });
    const host = hostOf(last);
    const text = `server = "http://${host}"\n[host."http://${hostOf(first, MIRROR_HOST)}"]\ncapabilities = [${capabilities}]\n`;
    add({ id, rule, image: `${host}/app:1`, node: { [`${host}/hosts.toml`]: text } });
  };
  const fails = (code: number, errorCode: string): readonly Bend[] => [status(code, errorCode)];
  const absent = fails(404, 'NAME_UNKNOWN');
  await mirrored('mirror-serves-all', 'J92', { mirror: [], upstream: absent });
  await mirrored('mirror-403', 'D17', { mirror: fails(403, 'DENIED'), upstream: [] });
  await mirrored('mirror-429', 'D17', { mirror: fails(429, 'TOOMANYREQUESTS'), upstream: [] });
  await mirrored('mirror-404-upstream-403', 'D17', { mirror: absent, upstream: fails(403, 'DENIED') });
  await mirrored('mirror-pull-only', 'J92', { mirror: absent, upstream: [], capabilities: '"pull"' });
  await mirrored('mirror-wants-login', 'C12', { mirror: [basicAuth({ [USER]: PASSWORD })], upstream: [] });

  const dead = `http://${MIRROR_HOST}:${deadPort()}`;
  const open = hostOf(await registry());
  add({
    id: 'mirror-down',
    rule: 'J92',
    image: `${open}/app:1`,
    node: { [`${open}/hosts.toml`]: `server = "http://${open}"\n[host."${dead}"]\n` },
  });
  const gone = `${HOST}:${deadPort()}`;
  add({ id: 'refused', rule: 'J84', image: `${gone}/app:1`, node: overHttp(gone) });
  const moved = hostOf(await registry({ pathPrefix: '/registry/api' }));
  add({
    id: 'override-path',
    rule: 'E4',
    image: `${moved}/app:1`,
    node: { [`${moved}/hosts.toml`]: `[host."http://${moved}/registry/api"]\noverride_path = true\n` },
  });
  const wantsKey: Bend = ({ headers }, answer) =>
    headers['x-key'] === 'open' ? answer : { status: 403, headers: {}, body: Buffer.alloc(0) };
  const keyed = hostOf(await registry({ bends: [wantsKey] }));
  add({
    id: 'declared-header',
    rule: 'E4',
    image: `${keyed}/app:1`,
    node: { [`${keyed}/hosts.toml`]: `[host."http://${keyed}"]\n[host."http://${keyed}".header]\nx-key = "open"\n` },
  });
  const folder = await registry();
  add({
    id: 'folder-with-underscores',
    rule: 'E2',
    image: `${hostOf(folder)}/app:1`,
    node: { [`${HOST}_${folder.port}_/hosts.toml`]: `server = "http://${hostOf(folder)}"\n` },
  });
  const slow = hostOf(await registry({ bends: [delay(3_000)] }));
  add({ id: 'slow-answers', rule: 'G5', image: `${slow}/app:1`, node: overHttp(slow) });
}
