import { createImageStore } from '../../../webhook/demo/image-store.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { cut, only, raw, reply, status, withHeaders } from '../../support/bend.ts';
import { createAuthority, expiredDates } from '../../support/pki.ts';
import { type Condition } from './condition.ts';
import { ofConfigs, ofLayers } from './registry-condition.ts';
import { config, hostOf, login, MIRROR_HOST, PASSWORD, RIGHT, USER, type Stage } from './stage.ts';

/** pull-parity D17 and E4, as rows: more manners of mirrors, in TLS too, and headers that the settings declare. */
export async function addViaConditions({ registry, add, deadPort }: Stage): Promise<void> {
  type Server = {
    readonly bends?: readonly Bend[];
    readonly tls?: object;
    readonly scheme?: string;
    readonly table?: string;
    readonly isDown?: true;
    readonly host?: string;
  };
  const mirrored = async (
    id: string,
    mirrors: readonly Server[],
    upstream: Server = {},
    more: Partial<Condition> & { readonly files?: Readonly<Record<string, string>> } = {},
  ): Promise<void> => {
    const store = createImageStore();
    const image = store.repository('app').addImage({ layers: [{ 'app/name': `for ${id}\n` }], tags: ['1'] });
    const start = async ({ isDown, bends = [], tls }: Server): Promise<{ readonly port: number }> =>
      isDown === true ? { port: deadPort() } : await registry({ store, bends, ...(tls === undefined ? {} : { tls }) });
    const host = hostOf(await start(upstream));
    const tables: string[] = [];
    let first = '';
    for (const mirror of mirrors) {
      // oxlint-disable-next-line no-await-in-loop
      const at = mirror.host ?? hostOf(await start(mirror), MIRROR_HOST);
      if (first === '') first = at;
      tables.push(`[host."${mirror.scheme ?? 'http'}://${at}"]\n${mirror.table ?? ''}`);
    }
    const { files = {}, ...rest } = more;
    const fill = (text: string): string =>
      text.replaceAll('UPSTREAM', host).replaceAll('MIRROR', first).replaceAll('DIGEST', image.digest);
    const server =
      upstream.table === 'none' ? '' : `server = "${upstream.scheme ?? 'http'}://${host}"\n${upstream.table ?? ''}`;
    const node = {
      [`${host}/hosts.toml`]: fill(`${server}${tables.join('')}`),
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`${host}/${name}`, text])),
    };
    const secrets = rest.secrets?.map((secret) => ({ ...secret, text: fill(secret.text) }));
    add({
      id: `via-${id}`,
      rule: 'D17',
      ...rest,
      image: fill(rest.image ?? 'UPSTREAM/app:1'),
      node,
      ...(secrets && { secrets }),
    });
  };
  const say = (code: number, error = 'X'): Server => ({ bends: [status(code, error)] });
  const lacks = say(404, 'MANIFEST_UNKNOWN');
  for (const code of [304, 400, 408, 410, 451, 504]) await mirrored(`mirror-${code}`, [say(code)]);
  for (const code of [429, 502]) await mirrored(`mirror-${code}-upstream-404`, [say(code)], lacks);
  for (const code of [401, 429, 500]) await mirrored(`mirror-404-upstream-${code}`, [lacks], say(code));
  const authority = createAuthority('Truth Mirror Root');
  const pair = authority.issue({ names: [MIRROR_HOST] });
  const old = authority.issue({ names: [MIRROR_HOST], dates: expiredDates() });
  const other = authority.issue({ names: ['elsewhere.test'] });
  const tls = (one: { readonly chain: string; readonly key: string }): object => ({ cert: one.chain, key: one.key });
  const root = { files: { 'root.pem': authority.certificate } };
  await mirrored('mirror-tls', [{ tls: tls(pair), scheme: 'https', table: 'ca = "root.pem"\n' }], lacks, root);
  await mirrored('mirror-tls-unknown-upstream-down', [{ tls: tls(pair), scheme: 'https' }], { isDown: true });
  await mirrored('mirror-tls-expired', [{ tls: tls(old), scheme: 'https', table: 'ca = "root.pem"\n' }], {}, root);
  await mirrored('mirror-tls-wrong-name', [{ tls: tls(other), scheme: 'https', table: 'ca = "root.pem"\n' }], {}, root);
  await mirrored('mirror-tls-unchecked', [{ tls: tls(other), scheme: 'https', table: 'skip_verify = true\n' }], lacks);
  await mirrored('mirror-tls-declared-http', [{ tls: tls(pair) }]);
  await mirrored('mirror-tls-declared-http-alone', [{ tls: tls(pair) }], lacks);
  await mirrored('mirror-no-such-host', [{ host: 'mirror.truth.invalid' }]);
  await mirrored('mirror-no-such-host-alone', [{ host: 'mirror.truth.invalid' }], lacks);
  await mirrored('mirror-odd-port', [{ host: `${MIRROR_HOST}:99999` }]);
  await mirrored('mirror-garbage', [{ bends: [raw('nothing\r\n\r\n')] }]);
  await mirrored('mirror-schema1', [
    {
      bends: [
        only(
          { kind: 'manifest' },
          withHeaders({ 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' }),
        ),
      ],
    },
  ]);
  await mirrored('mirror-type-json', [
    { bends: [only({ kind: 'manifest' }, withHeaders({ 'content-type': 'application/json' }))] },
  ]);
  await mirrored('mirror-type-json-on-get', [
    { bends: [only({ kind: 'manifest', method: 'GET' }, withHeaders({ 'content-type': 'application/json' }))] },
  ]);
  await mirrored('mirror-get-cut', [{ bends: [only({ kind: 'manifest', method: 'GET' }, cut(40))] }]);
  await mirrored('mirror-get-halved', [
    { bends: [only({ kind: 'manifest', method: 'GET' }, (_q, a) => ({ ...a, body: a.body.subarray(0, 90) }))] },
  ]);
  await mirrored('mirror-config-cut', [{ bends: [only({ kind: 'blob' }, ofConfigs(cut(0)))] }]);
  await mirrored('mirror-config-halved', [
    {
      bends: [
        only(
          { kind: 'blob' },
          ofConfigs((_q, a) => ({ ...a, body: a.body.subarray(0, 30) })),
        ),
      ],
    },
  ]);
  await mirrored('mirror-layer-halved', [
    {
      bends: [
        only(
          { kind: 'blob' },
          ofLayers((_q, a) => ({ ...a, body: a.body.subarray(0, 30) })),
        ),
      ],
    },
  ]);
  await mirrored('mirror-layer-204', [{ bends: [only({ kind: 'blob' }, ofLayers(reply(204, {})))] }]);
  await mirrored('mirror-blobs-404-upstream-403', [{ bends: [only({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'))] }], {
    bends: [only({ kind: 'blob' }, status(403, 'DENIED'))],
  });
  await mirrored('mirror-blobs-503', [{ bends: [only({ kind: 'blob' }, status(503, 'X'))] }]);
  await mirrored('mirror-blobs-405', [{ bends: [only({ kind: 'blob' }, status(405, 'X'))] }]);
  await mirrored('mirror-login-key-of-mirror', [{ bends: [basicAuth({ [USER]: PASSWORD })] }], lacks, {
    secrets: [config({ MIRROR: RIGHT })],
  });
  await mirrored('mirror-login-key-of-both', [{ bends: [basicAuth({ [USER]: PASSWORD })] }], lacks, {
    secrets: [config({ MIRROR: RIGHT, UPSTREAM: login('x', 'y') })],
  });
  await mirrored(
    'mirror-login-by-header',
    [
      {
        bends: [basicAuth({ [USER]: PASSWORD })],
        table: `[host."http://MIRROR".header]\nAuthorization = "Basic ${RIGHT.auth}"\n`,
      },
    ],
    lacks,
  );
  await mirrored('upstream-login-by-header', [], {
    bends: [basicAuth({ [USER]: PASSWORD })],
    table: `[header]\nauthorization = "Basic ${RIGHT.auth}"\n`,
  });
  await mirrored('upstream-login-by-header-list', [], {
    bends: [basicAuth({ [USER]: PASSWORD })],
    table: `[header]\nauthorization = ["Basic ${RIGHT.auth}"]\n`,
  });
  await mirrored(
    'upstream-header-wrong-secret-right',
    [],
    { bends: [basicAuth({ [USER]: PASSWORD })], table: `[header]\nauthorization = "Basic eDp5"\n` },
    { secrets: [config({ UPSTREAM: RIGHT })] },
  );
  await mirrored('upstream-header-host', [], { table: '[header]\nhost = "other.test"\n' });
  await mirrored('upstream-header-agent', [], { bends: [wantsAgent], table: '[header]\nuser-agent = "me"\n' });
  await mirrored('upstream-header-accept', [], { table: '[header]\naccept = "text/html"\n' });
  await mirrored('server-absent-mirror-ok', [{}], { table: 'none' });
  await mirrored('server-absent-mirror-404', [lacks], { table: 'none' });
  await mirrored('mirror-may-pull-and-upstream-404', [{ table: 'capabilities = ["pull"]\n' }], lacks);
  await mirrored('mirror-may-pull-lacks-blobs', [
    { table: 'capabilities = ["pull"]\n', bends: [only({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'))] },
  ]);
  await mirrored('three-mirrors-last-ok', [{ isDown: true }, say(403), {}], lacks);
  await mirrored('three-mirrors-none', [{ isDown: true }, say(403), say(500)], lacks);
  await mirrored('by-digest-all-500', [say(500)], say(500), { image: 'UPSTREAM/app@DIGEST' });
  await mirrored('by-digest-mirror-403', [say(403)], lacks, { image: 'UPSTREAM/app@DIGEST' });
  await mirrored('by-digest-mirror-401', [say(401)], {}, { image: 'UPSTREAM/app@DIGEST' });
  await mirrored('by-digest-mirror-down', [{ isDown: true }], lacks, { image: 'UPSTREAM/app@DIGEST' });
  await mirrored('by-digest-upstream-down', [lacks], { isDown: true }, { image: 'UPSTREAM/app@DIGEST' });
  await mirrored('same-host-twice', [{ host: 'UPSTREAM' }], {});
  await mirrored('same-host-twice-404', [{ host: 'UPSTREAM' }], lacks);
  await mirrored('same-host-twice-500', [{ host: 'UPSTREAM' }], say(500));
}

const wantsAgent: Bend = (question, answer) =>
  question.headers['user-agent'] === 'me' ? answer : status(403, 'DENIED')(question, answer);
