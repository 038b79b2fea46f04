import { createImageStore, type ImageStore, type StoredImage } from '../../../webhook/demo/image-store.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { cut, only, redirect, reply, status, withHeaders, withoutHeader } from '../../support/bend.ts';
import type { ScriptedRegistryOptions } from '../../support/scripted-registry.ts';
import { startTokenService } from '../../support/token-service.ts';
import type { Condition } from './condition.ts';
import { firstOfBurst } from './bursts.ts';
import { ABSENT, ofConfigs, ofLayers } from './registry-condition.ts';
import { config, hostOf, MIRROR_HOST, PASSWORD, RIGHT, USER, WRONG, type Stage } from './stage.ts';

/** One server of a hosts.toml. Unless it has a store of its own it holds what the others hold. */
type Server = ScriptedRegistryOptions & {
  readonly isDown?: true;
  readonly scheme?: 'http' | 'https';
  readonly path?: string;
  /** More lines of its table. */
  readonly table?: string;
  readonly store?: ImageStore;
};
type More = Partial<Pick<Condition, 'secrets' | 'contentOnly' | 'openBecause'>> & {
  /** What the Pod asks for; default `app:1`. */
  readonly name?: (image: StoredImage) => string;
};

const HEAD = { kind: 'manifest', method: 'HEAD' } as const;
const GET = { kind: 'manifest', method: 'GET' } as const;
const may = (capabilities: string): string => `capabilities = [${capabilities}]\n`;
const fails = (code: number, errorCode = 'UNKNOWN', headers: Readonly<Record<string, string>> = {}): Server => ({
  bends: [status(code, errorCode, headers)],
});
const bent = (...bends: readonly Bend[]): Server => ({ bends });
const blobs = (bend: Bend): Server => bent(only({ kind: 'blob' }, bend));
const layers = (bend: Bend): Server => blobs(ofLayers(bend));

const ABSENCE = fails(404, 'NAME_UNKNOWN');
const DOWN: Server = { isDown: true };
const SOUND: Server = {};
const EMPTY: Server = { store: createImageStore() };
const LOGIN: Server = { auth: basicAuth({ [USER]: PASSWORD }) };
const UNKNOWN_BLOB = status(404, 'BLOB_UNKNOWN');
const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>log in</html>');
const digest = ({ digest: text }: StoredImage): string => `app@${text}`;

/** pull-parity D14 to D17 and E4: several hosts in hosts.toml, each with manners of its own. */
export async function addMirrorConditions({ registry, add, keep, deadPort }: Stage): Promise<void> {
  const row = async (
    id: string,
    rule: string,
    mirrors: readonly Server[],
    upstream: Server = SOUND,
    { name, ...more }: More = {},
  ): Promise<void> => {
    const store = createImageStore();
    const image = store.repository('app').addImage({ layers: [{ 'app/name': `for ${id}\n` }], tags: ['1'] });
    const start = async (server: Server): Promise<{ readonly port: number }> =>
      server.isDown === true ? { port: deadPort() } : await registry({ store, ...server });
    const host = hostOf(await start(upstream));
    const tables: string[] = [];
    for (const { scheme = 'http', path = '', table = '', ...server } of mirrors) {
      // ports are given in the order of the file
      // oxlint-disable-next-line no-await-in-loop
      const at = hostOf(await start(server), MIRROR_HOST);
      tables.push(`[host."${scheme}://${at}${path}"]\n${table}`);
    }
    const text = `server = "http://${host}"\n${upstream.table ?? ''}${tables.join('')}`;
    const node = { [`${host}/hosts.toml`]: text };
    const secrets = more.secrets?.map((secret) => ({ ...secret, text: secret.text.replaceAll('UPSTREAM', host) }));
    add({ id, rule, ...more, image: `${host}/${name?.(image) ?? 'app:1'}`, node, ...(secrets && { secrets }) });
  };
  const withLogin = (entry: unknown): More => ({ secrets: [config({ UPSTREAM: entry })] });

  // who is asked next for a name
  await row('mirrors-404-500-sound', 'D17', [ABSENCE, fails(500), SOUND], ABSENCE);
  await row('mirrors-403-429-502', 'D17', [fails(403, 'DENIED'), fails(429), fails(502)]);
  await row('mirrors-all-absent', 'D17', [ABSENCE, ABSENCE], ABSENCE);
  await row('mirrors-down-both', 'D17', [DOWN, DOWN]);
  await row('mirrors-down-then-absent', 'D17', [DOWN, ABSENCE], ABSENCE);
  await row('mirror-absent-upstream-down', 'J91', [ABSENCE], DOWN);
  await row('mirror-503-upstream-absent', 'D17', [fails(503)], ABSENCE);
  await row('mirror-breaks-off', 'D17', [bent(cut('start'))]);
  await row('mirror-head-300', 'D7', [bent(only(HEAD, status(300, 'UNKNOWN')))]);
  await row('mirror-head-405', 'J49', [bent(only(HEAD, status(405, 'UNSUPPORTED')))], ABSENCE);
  await row('mirror-head-405-get-404', 'J49', [
    bent(only(HEAD, status(405, 'UNSUPPORTED')), only(GET, status(404, 'MANIFEST_UNKNOWN'))),
  ]);
  await row('mirror-401-no-challenge', 'D17', [fails(401, 'UNAUTHORIZED')]);
  await row('mirror-page', 'J56', [bent(PAGE)]);
  await row('mirror-redirect-dead', 'D15', [bent(redirect('http://127.0.0.1:1/x'))]);
  await row('mirror-redirect-loop', 'D15', [bent(redirect(({ url }) => url.pathname))]);
  await row('mirror-odd-digest-header', 'D10', [bent(only(HEAD, withHeaders({ 'docker-content-digest': 'foo:bar' })))]);
  await row('mirror-other-digest-header', 'D10', [bent(only(HEAD, withHeaders({ 'docker-content-digest': ABSENT })))]);
  await row('mirror-no-digest-get-404', 'D10', [
    bent(
      only(HEAD, withoutHeader('docker-content-digest')),
      only({ ...GET, reference: '1' }, status(404, 'MANIFEST_UNKNOWN')),
    ),
  ]);
  await row('mirror-length-too-large', 'D13', [bent(only(HEAD, withHeaders({ 'content-length': '5000000' })))]);
  await row('mirror-503-once', 'D8', [bent(firstOfBurst({ kind: 'manifest' }, status(503, 'UNAVAILABLE')))], ABSENCE);
  await row('upstream-503-once', 'D8', [ABSENCE], bent(firstOfBurst({ kind: 'manifest' }, status(503, 'UNAVAILABLE'))));

  // who has the parts
  await row('mirror-lacks-manifest', 'D17', [bent(only(GET, status(404, 'MANIFEST_UNKNOWN')))]);
  await row('mirror-manifest-403', 'D17', [bent(only(GET, status(403, 'DENIED')))]);
  await row('mirror-manifest-500', 'D17', [bent(only(GET, status(500, 'UNKNOWN')))]);
  await row('mirror-manifest-page', 'D17', [bent(only(GET, PAGE))]);
  await row('mirror-manifest-breaks-off', 'D17', [bent(only(GET, cut('start')))]);
  await row('mirror-lacks-blobs', 'D17', [blobs(UNKNOWN_BLOB)]);
  await row('mirror-lacks-layer', 'D17', [layers(UNKNOWN_BLOB)]);
  await row('mirror-lacks-config', 'D17', [blobs(ofConfigs(UNKNOWN_BLOB))]);
  await row('mirror-blobs-401', 'D17', [blobs(status(401, 'UNAUTHORIZED'))]);
  await row('mirror-blobs-403', 'D17', [blobs(status(403, 'DENIED'))]);
  await row('mirror-blobs-429', 'D17', [blobs(status(429, 'TOOMANYREQUESTS'))]);
  await row('mirror-blobs-500', 'D17', [blobs(status(500, 'UNKNOWN'))]);
  await row('mirror-blobs-break-off', 'D17', [blobs(cut('start'))]);
  await row('mirror-blobs-redirect-dead', 'D17', [blobs(redirect('http://127.0.0.1:1/x'))]);
  await row('mirror-blobs-page', 'D17', [layers(PAGE)]);
  await row('mirror-layer-altered', 'D17', [layers((_q, a) => ({ ...a, body: a.body.map((one) => one ^ 1) }))], SOUND, {
    contentOnly: true,
  });
  await row('mirror-layer-cut', 'D17', [layers(cut(40))], SOUND, { contentOnly: true });
  await row('mirrors-lack-layer-upstream-too', 'J70', [layers(UNKNOWN_BLOB)], layers(UNKNOWN_BLOB));
  await row('mirror-lacks-layer-upstream-500', 'D17', [layers(UNKNOWN_BLOB)], layers(status(500, 'UNKNOWN')));
  await row('mirror-has-what-upstream-lacks', 'D17', [ABSENCE, blobs(UNKNOWN_BLOB), SOUND], blobs(UNKNOWN_BLOB));
  await row('mirror-name-only-in-upstream', 'D17', [EMPTY]);
  await row(
    'mirror-blob-only-in-mirror',
    'D17',
    [bent(only({ kind: 'manifest' }, status(404, 'X')))],
    blobs(UNKNOWN_BLOB),
  );
  await row('mirror-tag-of-elsewhere', 'D17', [bent(only(HEAD, staleTag))]);

  // what hosts may be asked for
  await row('mirror-may-resolve', 'E4', [{ table: may('"resolve"') }], blobs(UNKNOWN_BLOB));
  await row('mirror-may-push', 'E4', [{ table: may('"push"') }], bent(only(GET, status(404, 'MANIFEST_UNKNOWN'))));
  await row('mirror-may-pull-upper-case', 'E4', [{ table: may('"PULL", "Resolve"') }], ABSENCE);
  await row('mirror-may-nothing-named', 'E4', [{ table: may('') }], ABSENCE);
  await row('mirror-may-referrers', 'E4', [{ table: may('"pull", "resolve", "referrers"') }]);
  await row('nobody-may-resolve', 'E4', [{ table: may('"pull"') }], { table: may('"pull"') });
  await row('nobody-may-resolve-digest', 'D14', [{ table: may('"pull"') }], { table: may('"pull"') }, { name: digest });
  await row('upstream-may-not-resolve', 'E4', [SOUND], { table: may('"pull"') });
  await row('upstream-may-not-and-mirror-absent', 'E4', [ABSENCE], { table: may('"pull"') });
  await row('digest-mirror-pull-only', 'D14', [{ table: may('"pull"') }], ABSENCE, { name: digest });
  await row('digest-mirror-absent', 'D14', [ABSENCE], SOUND, { name: digest });
  await row('digest-mirror-500', 'D14', [fails(500)], SOUND, { name: digest });
  await row('digest-mirror-500-upstream-absent', 'D14', [fails(500)], ABSENCE, { name: digest });
  await row('digest-absent-everywhere', 'D14', [SOUND, SOUND], SOUND, { name: () => `app@${ABSENT}` });

  // how hosts are asked
  await row('mirror-prefix', 'E4', [{ pathPrefix: '/proxy/v2', path: '/proxy' }], ABSENCE);
  await row('mirror-prefix-with-version', 'E4', [{ pathPrefix: '/proxy/v2', path: '/proxy/v2/' }], ABSENCE);
  await row(
    'mirror-prefix-overridden',
    'E4',
    [{ pathPrefix: '/v2/proxy', path: '/v2/proxy', table: 'override_path = true\n' }],
    ABSENCE,
  );
  await row('mirror-prefix-not-overridden', 'E4', [{ pathPrefix: '/v2/proxy', path: '/v2/proxy' }], ABSENCE);
  await row('mirror-wants-ns', 'D16', [bent(wantsNamespace)], ABSENCE);
  await row('mirror-tls-undeclared', 'D17', [{ scheme: 'https' }]);
  await row('mirror-tls-undeclared-alone', 'D17', [{ scheme: 'https' }], ABSENCE);
  await row('mirror-ca-absent', 'E3', [{ table: 'ca = "absent.pem"\n' }]);
  await row('mirror-unknown-key', 'E3', [{ table: 'colour = "red"\n' }], ABSENCE);
  await row('mirror-flag-as-text', 'E3', [{ table: 'skip_verify = "true"\n' }], ABSENCE);

  // who logs in where
  await row('mirror-login-right', 'C12', [LOGIN], ABSENCE, withLogin(RIGHT));
  await row('mirror-login-wrong', 'C12', [LOGIN], SOUND, withLogin(WRONG));
  await row('mirror-login-wrong-and-upstream', 'C12', [LOGIN], LOGIN, withLogin(WRONG));
  await row('mirror-open-upstream-login', 'C12', [ABSENCE], LOGIN, withLogin(RIGHT));
  await row('mirror-blobs-login', 'C12', [bent(only({ kind: 'blob' }, basicAuth({ [USER]: PASSWORD })))]);
  const open = keep(await startTokenService());
  const shut = keep(await startTokenService({ isAnonymousAllowed: false }));
  await row('mirror-token-anonymous', 'D17', [{ auth: open.bearerAuth }], ABSENCE);
  await row('mirror-token-refused', 'D17', [{ auth: shut.bearerAuth }]);
  await row('mirror-token-dead', 'D17', [
    fails(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' }),
  ]);
  await row('mirror-token-and-upstream-token', 'D17', [{ auth: open.bearerAuth, bends: [ABSENT_TAG] }], {
    auth: open.bearerAuth,
  });
}

const ABSENT_TAG = only({ kind: 'manifest' }, (question, answer) =>
  answer.status === 200 ? status(404, 'MANIFEST_UNKNOWN')(question, answer) : answer,
);

/** A mirror whose tag still stands for what nobody has any more. */
const staleTag: Bend = (_question, answer) => ({
  ...answer,
  headers: {
    ...answer.headers,
    'content-type': OCI_MANIFEST,
    'docker-content-digest': ABSENT,
    'content-length': '400',
  },
});

const wantsNamespace: Bend = (question, answer) =>
  (question.url.searchParams.get('ns') ?? '').startsWith('reg.truth.test:')
    ? answer
    : status(404, 'NAME_UNKNOWN')(question, answer);
