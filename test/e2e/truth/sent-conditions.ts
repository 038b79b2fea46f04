import { createImageStore } from '../../../webhook/demo/image-store.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { cut, only, raw, redirect, reply, status } from '../../support/bend.ts';
import { createSelfSigned } from '../../support/pki.ts';
import { type Condition } from './condition.ts';
import { hostOf, overHttp, PASSWORD, STORE_HOST, USER, type Stage } from './stage.ts';

const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>log in</html>');

/** pull-parity D15, as rows: manifests that lie elsewhere, and how the way there is spelled. */
export async function addSentConditions({ registry, add, deadPort }: Stage): Promise<void> {
  const sent = async (
    id: string,
    location: (at: { readonly target: string; readonly path: string; readonly host: string }) => string,
    options: {
      readonly of?: Parameters<typeof only>[0];
      readonly code?: number;
      readonly target?: readonly Bend[];
      readonly auth?: Bend;
      readonly tls?: boolean;
      readonly more?: Partial<Condition>;
      readonly toml?: string;
    } = {},
  ): Promise<void> => {
    const { of = { kind: 'manifest' }, code = 307, target: bends = [], auth, more = {}, toml } = options;
    const store = createImageStore();
    store.repository('app').addImage({ layers: [{ 'app/name': `for ${id}\n` }], tags: ['1'] });
    const pair = createSelfSigned({ names: [STORE_HOST] });
    const target = hostOf(
      await registry({ store, bends, ...(options.tls === true ? { tls: { cert: pair.chain, key: pair.key } } : {}) }),
      STORE_HOST,
    );
    let host = '';
    const bend = only(of, (question, answer) =>
      answer.status === 401 || question.url.search.includes('moved')
        ? answer
        : redirect(() => location({ target, path: question.url.pathname, host }), code)(question, answer),
    );
    host = hostOf(await registry({ store, ...(auth === undefined ? {} : { auth }), bends: [bend] }));
    const secrets = more.secrets?.map((secret) => ({ ...secret, text: secret.text.replaceAll('UPSTREAM', host) }));
    add({
      id: `sent-${id}`,
      rule: 'D15',
      image: `${host}/app:1`,
      node: toml === undefined ? overHttp(host) : { [`${host}/hosts.toml`]: toml.replaceAll('HOST', host) },
      ...more,
      ...(secrets && { secrets }),
    });
  };
  await sent('manifests', ({ target, path }) => `http://${target}${path}`);
  await sent('heads', ({ target, path }) => `http://${target}${path}`, { of: { kind: 'manifest', method: 'HEAD' } });
  await sent('gets', ({ target, path }) => `http://${target}${path}`, { of: { kind: 'manifest', method: 'GET' } });
  await sent('manifests-404', ({ target, path }) => `http://${target}${path}`, {
    target: [status(404, 'MANIFEST_UNKNOWN')],
  });
  await sent('manifests-403', ({ target, path }) => `http://${target}${path}`, { target: [status(403, 'DENIED')] });
  await sent('manifests-500', ({ target, path }) => `http://${target}${path}`, { target: [status(500, 'X')] });
  await sent('manifests-page', ({ target, path }) => `http://${target}${path}`, { target: [PAGE] });
  await sent('manifests-dead', ({ path }) => `http://127.0.0.1:${deadPort()}${path}`);
  await sent('manifests-no-such-host', ({ path }) => `http://cdn.truth.invalid${path}`);
  await sent('manifests-unknown-authority', ({ target, path }) => `https://${target}${path}`, { tls: true });
  await sent('manifests-unverified', ({ target, path }) => `https://${target}${path}`, {
    tls: true,
    toml: 'server = "http://HOST"\nskip_verify = true\n',
  });
  await sent('manifests-https-to-http', ({ target, path }) => `https://${target}${path}`);
  await sent('manifests-http-to-https', ({ target, path }) => `http://${target}${path}`, { tls: true });
  await sent('manifests-relative', ({ path }) => `${path.split('/').at(-1) ?? ''}?moved=1`);
  await sent('manifests-dots', ({ path }) => `../manifests/${path.split('/').at(-1) ?? ''}?moved=1`);
  await sent('manifests-query', () => '?moved=1');
  await sent('manifests-scheme-relative', ({ target, path }) => `//${target}${path}`);
  await sent('manifests-upper-case-scheme', ({ target, path }) => `HTTP://${target}${path}`);
  await sent('manifests-fragment', ({ target, path }) => `http://${target}${path}#x`);
  await sent('manifests-no-url', () => 'http://[::1/');
  await sent('manifests-ftp', ({ target, path }) => `ftp://${target}${path}`);
  await sent('manifests-spaces', ({ target, path }) => `  http://${target}${path}  `);
  await sent('manifests-with-user', ({ target, path }) => `http://${USER}:${PASSWORD}@${target}${path}`, {
    target: [basicAuth({ [USER]: PASSWORD })],
    more: { openBecause: 'a login in an address is not used' },
  });
  await sent('manifests-300', ({ target, path }) => `http://${target}${path}`, { code: 300 });
  await sent('blobs-300', ({ target, path }) => `http://${target}${path}`, { of: { kind: 'blob' }, code: 300 });
  await sent('blobs-relative', ({ path }) => `${path.split('/').at(-1) ?? ''}?moved=1`, { of: { kind: 'blob' } });
  await sent('blobs-cut', ({ target, path }) => `http://${target}${path}`, {
    of: { kind: 'blob' },
    target: [cut('start')],
  });
  await sent('blobs-garbage', ({ target, path }) => `http://${target}${path}`, {
    of: { kind: 'blob' },
    target: [raw('nothing\r\n\r\n')],
  });
  await sent('blobs-page', ({ target, path }) => `http://${target}${path}`, { of: { kind: 'blob' }, target: [PAGE] });
  await sent('blobs-429', ({ target, path }) => `http://${target}${path}`, {
    of: { kind: 'blob' },
    target: [status(429, 'X')],
  });
  await sent('blobs-401', ({ target, path }) => `http://${target}${path}`, {
    of: { kind: 'blob' },
    target: [reply(401, {})],
  });
  await sent('blobs-https-expired', ({ target, path }) => `https://${target}${path}`, {
    of: { kind: 'blob' },
    tls: true,
  });
  await sent('to-login-page', ({ target }) => `http://${target}/login`, { target: [PAGE], code: 302 });
  await sent('to-itself-by-name', ({ host, path }) => `http://${host}${path}?moved=1`);
}
