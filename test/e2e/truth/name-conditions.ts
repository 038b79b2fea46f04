import type { Stage } from './stage.ts';

/** pull-parity part A, as the kubelet meets it. */
const NAMES: readonly (readonly [id: string, image: string])[] = [
  ['name-upper-case', 'reg.truth.test/App:1'],
  ['name-scheme', 'https://reg.truth.test/app'],
  ['name-variable', '$(IMAGE)'],
  ['name-short-digest', `reg.truth.test/app@sha256:${'a'.repeat(63)}`],
  ['name-upper-digest', `reg.truth.test/app@sha256:${'A'.repeat(64)}`],
  ['name-unknown-algorithm', `reg.truth.test/app@md5:${'a'.repeat(32)}`],
  ['name-empty-tag', 'reg.truth.test/app:'],
  ['name-two-tags', 'reg.truth.test/app:1:2'],
  ['name-double-slash', 'reg.truth.test//app'],
  ['name-long-path', `reg.truth.test/${'a'.repeat(256)}`],
  ['name-hex', 'a'.repeat(64)],
  ['name-no-host', 'nowhere.truth.invalid/app:1'],
];

export function addNameConditions({ add }: Stage): void {
  for (const [id, image] of NAMES) add({ id, rule: 'part A', image });
}
