import { basicAuth } from '../../../webhook/demo/registry.ts';
import { status } from '../../support/bend.ts';
import type { Condition } from './condition.ts';
import { config, hostOf, overHttp, PASSWORD, RIGHT, USER, WRONG, type Stage } from './stage.ts';

/** pull-parity parts B and C, as rows: where in a Pod an image stands, whose secrets it has, and what the node has already. */
export async function addPodConditions({ registry, add, deadPort }: Stage): Promise<void> {
  const open = hostOf(await registry());
  const shut = hostOf(await registry({ auth: basicAuth({ [USER]: PASSWORD }) }));
  const failing = hostOf(await registry({ bends: [status(500, 'UNKNOWN')] }));
  const dead = hostOf({ port: deadPort() });
  const row = (id: string, host: string, more: Partial<Condition> = {}): void =>
    add({ id: `pod-${id}`, rule: 'B7', image: `${host}/app:1`, node: overHttp(host), ...more });
  for (const place of ['init', 'sidecar', 'second', 'volume', 'volume-unmounted'] as const) {
    const more = place === 'volume-unmounted' ? { openBecause: 'what nobody mounts fails no container' } : {};
    row(`${place}-sound`, open, { place });
    row(`${place}-tag-absent`, open, { place, image: `${open}/app:nothing`, ...more });
    row(`${place}-bad-name`, open, { place, image: `${open}/App:1`, ...more });
  }
  row('volume-login', shut, { place: 'volume', secrets: [config({ [shut]: RIGHT })] });
  row('volume-login-wrong', shut, { place: 'volume', secrets: [config({ [shut]: WRONG })] });
  row('volume-secret-malformed', open, { place: 'volume', secrets: [config({ 'other.test': { auth: '!' } })] });
  row('init-login', shut, { place: 'init', secrets: [config({ [shut]: RIGHT })] });

  row('account-login', shut, { rule: 'C1', accountSecrets: [config({ [shut]: RIGHT })] });
  row('account-login-wrong', shut, { rule: 'C1', accountSecrets: [config({ [shut]: WRONG })] });
  row('account-without-secrets', shut, { rule: 'C1', accountSecrets: [] });
  row('account-right-own-wrong', shut, {
    rule: 'C1',
    accountSecrets: [config({ [shut]: RIGHT })],
    secrets: [config({ [shut]: WRONG })],
  });
  row('account-right-own-other', shut, {
    rule: 'C1',
    accountSecrets: [config({ [shut]: RIGHT })],
    secrets: [config({ 'other.test': RIGHT })],
  });
  row('account-right-own-absent', shut, {
    rule: 'C1',
    accountSecrets: [config({ [shut]: RIGHT })],
    missingSecrets: ['ghost'],
  });
  row('account-right-own-nameless', shut, {
    rule: 'C1',
    accountSecrets: [config({ [shut]: RIGHT })],
    missingSecrets: [''],
  });
  row('account-two', shut, {
    rule: 'C1',
    accountSecrets: [config({ 'other.test': RIGHT }), config({ [shut]: RIGHT })],
  });
  row('account-malformed', open, { rule: 'C4', accountSecrets: [config({ 'other.test': { auth: '!' } })] });
  row('account-dockercfg', shut, {
    rule: 'C3',
    accountSecrets: [{ type: 'kubernetes.io/dockercfg', text: JSON.stringify({ [shut]: RIGHT }) }],
  });

  const held: Partial<Condition> = { rule: 'B2', isPreloaded: true };
  const UNKNOWN = 'the command line knows nothing of what nodes have';
  row('held-never', open, { ...held, image: `${open}/held:1`, pullPolicy: 'Never', openBecause: UNKNOWN });
  row('held-absent-always', open, { ...held, image: `${open}/held:3`, pullPolicy: 'Always' });
  row('held-dead', dead, { ...held, image: `${dead}/held:4`, pullPolicy: 'IfNotPresent', openBecause: UNKNOWN });
  row('held-dead-always', dead, { ...held, image: `${dead}/held:5`, pullPolicy: 'Always' });
  row('held-failing', failing, {
    ...held,
    image: `${failing}/held:6`,
    pullPolicy: 'IfNotPresent',
    openBecause: UNKNOWN,
  });
  row('held-other-tag', open, { rule: 'B2', image: `${open}/held:10`, pullPolicy: 'IfNotPresent' });
  row('if-not-present', open, { rule: 'B2', pullPolicy: 'IfNotPresent' });
  row('if-not-present-tag-absent', open, { rule: 'B2', image: `${open}/app:other`, pullPolicy: 'IfNotPresent' });
  row('never-absent-secret-malformed', open, {
    rule: 'B2',
    image: `${open}/app:never`,
    pullPolicy: 'Never',
    secrets: [config({ 'other.test': { auth: '!' } })],
  });
  row('never-bad-name', open, { rule: 'A9', image: `${open}/App:1`, pullPolicy: 'Never' });
}
