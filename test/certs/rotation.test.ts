import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import {
  bundleOf,
  createMaterial,
  decodeMaterial,
  encodeMaterial,
  newAuthority,
  servingNames,
  splitPem,
  type Material,
} from '../../certs/material.ts';
import { lifeOf, nextStep, takeStep, type RotationStep } from '../../certs/rotation.ts';
import { createKeyRing } from './key-ring.ts';

const nextKeys = createKeyRing();
const BORN_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const NAMES = servingNames('pullguard', 'system');

let fresh: Material;
let withNext: Material;
before(async () => {
  fresh = await createMaterial({ names: NAMES, nowMs: BORN_MS, makeKeys: nextKeys });
  withNext = { ...fresh, next: await newAuthority({ nowMs: BORN_MS + 244 * DAY_MS, makeKeys: nextKeys }) };
});

describe('the next step of the rotation', () => {
  const cases: readonly {
    readonly name: string;
    readonly day: number;
    readonly step: RotationStep['step'];
    readonly reason?: RegExp;
    readonly of?: (leafless: Material) => Material;
    readonly names?: readonly string[];
    readonly isBundleInPlace?: boolean;
  }[] = [
    { name: 'a new certificate', day: 0, step: 'keep' },
    { name: 'a certificate before two thirds of its life', day: 59, step: 'keep' },
    { name: 'a certificate after two thirds of its life', day: 60, step: 'renew-leaf', reason: /ends on 2026-04-01$/u },
    { name: 'an expired certificate', day: 100, step: 'renew-leaf' },
    {
      name: 'a certificate for another name',
      day: 0,
      names: ['web.system.svc'],
      step: 'renew-leaf',
      reason: /not for web\.system\.svc$/u,
    },
    { name: 'an expired authority', day: 365, step: 'start-over', reason: /expired on 2027-01-01$/u },
  ];
  for (const { name, day, step, reason, names = NAMES, isBundleInPlace = true } of cases) {
    it(`is to ${step} for ${name}`, () => {
      const next = nextStep(fresh, { names, nowMs: BORN_MS + day * DAY_MS, isBundleInPlace });

      assert.equal(next.step, step);
      if (reason !== undefined) assert.match('reason' in next ? next.reason : '', reason);
    });
  }

  const authorityCases: readonly {
    readonly name: string;
    readonly day: number;
    readonly isBundleInPlace: boolean;
    readonly step: RotationStep['step'];
  }[] = [
    { name: 'waits while the new authority is a moment old', day: 244, isBundleInPlace: true, step: 'keep' },
    { name: 'waits while the bundle is not in place', day: 250, isBundleInPlace: false, step: 'keep' },
    { name: 'moves on once the bundle is in place', day: 244.01, isBundleInPlace: true, step: 'adopt-authority' },
    {
      name: 'moves on without it when the old authority is about to end',
      day: 359,
      isBundleInPlace: false,
      step: 'adopt-authority',
    },
  ];
  for (const { name, day, isBundleInPlace, step } of authorityCases) {
    it(name, async () => {
      const nowMs = BORN_MS + day * DAY_MS;
      const renewed = await takeStep(
        withNext,
        { step: 'renew-leaf', reason: '' },
        { names: NAMES, nowMs, makeKeys: nextKeys },
      );

      assert.equal(nextStep(renewed, { names: NAMES, nowMs, isBundleInPlace }).step, step);
    });
  }
});

describe('a life of fourteen months', () => {
  it('serves at every check a valid certificate that the bundle of the check before trusts', async () => {
    const steps: string[] = [];
    const makeKeys = createKeyRing();
    const first = await createMaterial({ names: NAMES, nowMs: BORN_MS, makeKeys });
    let material = first;
    let inPlace = bundleOf(material);

    for (let nowMs = BORN_MS; nowMs < BORN_MS + 425 * DAY_MS; nowMs += DAY_MS) {
      const step = nextStep(material, { names: NAMES, nowMs, isBundleInPlace: inPlace === bundleOf(material) });
      material = await takeStep(material, step, { names: NAMES, nowMs, makeKeys });
      if (step.step !== 'keep') steps.push(step.step);
      const leaf = new X509Certificate(material.leaf.certificate);
      const { startMs, endMs } = lifeOf(material.leaf.certificate);
      assert.ok(startMs <= nowMs && nowMs < endMs);
      assert.ok(splitPem(inPlace).some((pem) => leaf.verify(new X509Certificate(pem).publicKey)));
      assert.ok(splitPem(bundleOf(material)).length <= 2);
      inPlace = bundleOf(material);
    }

    const authority = steps.filter((step) => step !== 'renew-leaf');
    assert.deepEqual(authority, ['introduce-authority', 'adopt-authority', 'retire-authorities']);
    assert.notEqual(material.authority.key, first.authority.key);
  });
});

describe('the Secret of the certificate', () => {
  it('gives back what was put into it', async () => {
    const adopted = await takeStep(
      withNext,
      { step: 'adopt-authority', reason: '' },
      { names: NAMES, nowMs: BORN_MS, makeKeys: nextKeys },
    );

    for (const material of [fresh, withNext, adopted]) {
      const decoded = decodeMaterial(encodeMaterial(material));
      assert.ok(decoded.ok);
      assert.deepEqual(encodeMaterial(decoded.value), encodeMaterial(material));
    }
  });

  const damages: readonly {
    readonly name: string;
    readonly damage: (data: Readonly<Record<string, string>>) => Record<string, string>;
    readonly says: RegExp;
  }[] = [
    { name: 'no keys at all', damage: () => ({}), says: /^ca\.crt holds no certificate$/u },
    {
      name: 'an empty certificate',
      damage: (data) => ({ ...data, 'tls.crt': '' }),
      says: /^tls\.key does not belong/u,
    },
    {
      name: 'a half-written key',
      damage: (data) => ({ ...data, 'tls.key': (data['tls.key'] ?? '').slice(0, 400) }),
      says: /^tls\.key does not/u,
    },
    {
      name: "the authority's key exchanged",
      damage: (data) => ({ ...data, 'ca.key': data['tls.key'] ?? '' }),
      says: /^ca\.key does not/u,
    },
    {
      name: 'another authority in front',
      damage: (data) => ({ ...data, 'ca.crt': data['next-ca.crt'] ?? '', 'ca.key': data['next-ca.key'] ?? '' }),
      says: /was not signed by the first/u,
    },
    {
      name: 'no key of the next authority',
      damage: (data) => ({ ...data, 'next-ca.key': '' }),
      says: /^next-ca\.key does not/u,
    },
    {
      name: 'a certificate that is none',
      damage: (data) => ({ ...data, 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
      says: /^ca\.key does not/u,
    },
  ];
  for (const { name, damage, says } of damages) {
    it(`is unusable with ${name}, and says where`, () => {
      const decoded = decodeMaterial(damage(encodeMaterial(withNext)));

      assert.ok(!decoded.ok);
      assert.match(decoded.error, says);
      assert.doesNotMatch(decoded.error, /BEGIN|MII/u);
    });
  }
});
