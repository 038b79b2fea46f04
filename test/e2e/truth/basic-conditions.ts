import { basicAuth } from '../../../webhook/demo/registry.ts';
import type { TruthSecret } from './condition.ts';
import { config, HOST, hostOf, overHttp, PASSWORD, RIGHT, USER, WRONG, type Stage } from './stage.ts';

/** pull-parity part C: the kubelet's keyring, shown by a registry that asks for Basic. */
export async function addBasicConditions({ registry, add }: Stage): Promise<void> {
  const server = await registry({ auth: basicAuth({ [USER]: PASSWORD }) });
  server.store.repository('team/app').addImage({ tags: ['1'] });
  const host = hostOf(server);
  const { port } = server;
  const pod = { image: `${host}/team/app:1`, node: overHttp(host) };
  const rows: readonly (readonly [id: string, rule: string, secrets: readonly TruthSecret[]])[] = [
    ['basic-none', 'J27', []],
    ['basic-right', 'C6', [config({ [host]: RIGHT })]],
    ['basic-wrong', 'J28', [config({ [host]: WRONG })]],
    ['basic-two-second-right', 'J15', [config({ [host]: RIGHT }), config({ [`${host}/team`]: WRONG })]],
    ['basic-key-with-version', 'C6', [config({ [`http://${host}/v2/`]: RIGHT })]],
    ['basic-key-version-no-slash', 'J12', [config({ [`https://${host}/v2`]: RIGHT })]],
    ['basic-key-without-port', 'C6', [config({ [HOST]: RIGHT })]],
    ['basic-key-upper-case', 'C6', [config({ [`REG.TRUTH.TEST:${port}`]: RIGHT })]],
    ['basic-key-glob', 'C6', [config({ [`r*.truth.test:${port}`]: RIGHT })]],
    ['basic-key-glob-labels', 'C6', [config({ [`*.test:${port}`]: RIGHT })]],
    ['basic-key-path-prefix', 'C6', [config({ [`${host}/te`]: RIGHT })]],
    ['basic-key-other-path', 'C6', [config({ [`${host}/other`]: RIGHT })]],
    ['basic-empty-entry', 'C9', [config({ [host]: {} })]],
    ['basic-auth-only', 'C5', [config({ [host]: { auth: RIGHT.auth } })]],
    ['basic-auth-newline', 'C4', [config({ [host]: { auth: `${RIGHT.auth}\n` } })]],
    ['basic-auth-unpadded', 'C4', [config({ [host]: { auth: RIGHT.auth.replace(/=+$/u, '') } })]],
    ['basic-auth-beats-password', 'C5', [config({ [host]: { ...WRONG, auth: RIGHT.auth } })]],
    ['basic-dockercfg', 'C3', [{ type: 'kubernetes.io/dockercfg', text: JSON.stringify({ [host]: RIGHT }) }]],
    ['basic-opaque', 'J11', [{ ...config({ [host]: RIGHT }), type: 'Opaque' }]],
  ];
  for (const [id, rule, secrets] of rows) add({ id, rule, secrets, ...pod });
  add({ id: 'basic-secret-absent', rule: 'J10', missingSecrets: ['ghost'], ...pod });

  const open = hostOf(await registry());
  const free = { image: `${open}/app:1`, node: overHttp(open) };
  const noColon = Buffer.from('nocolon').toString('base64');
  add({ id: 'public-wrong-login', rule: 'J17', ...free, secrets: [config({ [open]: WRONG })] });
  add({ id: 'public-secret-absent', rule: 'J9', ...free, missingSecrets: ['ghost'] });
  add({
    id: 'public-secret-malformed',
    rule: 'J8',
    ...free,
    secrets: [config({ 'other.test': { auth: '?no base64?' } })],
  });
  add({ id: 'public-secret-no-colon', rule: 'C4', ...free, secrets: [config({ 'other.test': { auth: noColon } })] });
  add({ id: 'public-username-number', rule: 'C4', ...free, secrets: [config({ 'other.test': { username: 7 } })] });
}
