import { X509Certificate } from 'node:crypto';
import { assertNever } from '../webhook/image/result.ts';
import { BACKDATE_MS, createMaterial, newAuthority, newLeaf, type LeafBirth, type Material } from './material.ts';

/** What is due now, and why, as a clause for the log. */
export type RotationStep =
  | { readonly step: 'keep' }
  | { readonly step: 'renew-leaf'; readonly reason: string }
  /** First step of a new authority: it is trusted beside the old one. */
  | { readonly step: 'introduce-authority'; readonly reason: string }
  /** Second step: it signs the leaf. */
  | { readonly step: 'adopt-authority'; readonly reason: string }
  /** Last step: the old one is trusted no more. */
  | { readonly step: 'retire-authorities'; readonly reason: string }
  | { readonly step: 'start-over'; readonly reason: string };

export type RotationFacts = {
  readonly names: readonly string[];
  /** Wall clock: timers stand still while a machine sleeps, certificates do not. */
  readonly nowMs: number;
  /** The webhook configuration trusts everything that the material does. */
  readonly isBundleInPlace: boolean;
};

/** Time for every API server to hear of a bundle that was changed. */
const OVERLAP_MS = 10 * 60_000;
/** Time for every replica to serve the new leaf. */
const RETIREMENT_MS = 24 * 60 * 60_000;
/** So short before its end the old authority is left, even where nobody could confirm the bundle. */
const LAST_DAYS_MS = 7 * 24 * 60 * 60_000;

export function nextStep(material: Material, { names, nowMs, isBundleInPlace }: RotationFacts): RotationStep {
  const authority = lifeOf(material.authority.certificate);
  const leaf = lifeOf(material.leaf.certificate);
  if (nowMs >= authority.endMs)
    return { step: 'start-over', reason: `the authority expired on ${day(authority.endMs)}` };
  const missing = names.find((name) => new X509Certificate(material.leaf.certificate).checkHost(name) === undefined);
  if (missing !== undefined) return { step: 'renew-leaf', reason: `the certificate is not for ${missing}` };
  if (isTwoThirdsOver(leaf, nowMs))
    return { step: 'renew-leaf', reason: `two thirds of its life are over, it ends on ${day(leaf.endMs)}` };
  if (material.next !== undefined) {
    const isKnown = isBundleInPlace && nowMs >= lifeOf(material.next.certificate).startMs + BACKDATE_MS + OVERLAP_MS;
    if (isKnown) return { step: 'adopt-authority', reason: 'the new authority is trusted everywhere' };
    if (nowMs >= authority.endMs - LAST_DAYS_MS) {
      return { step: 'adopt-authority', reason: `the old authority ends on ${day(authority.endMs)}` };
    }
  } else if (isTwoThirdsOver(authority, nowMs)) {
    return {
      step: 'introduce-authority',
      reason: `two thirds of the authority's life are over, it ends on ${day(authority.endMs)}`,
    };
  }
  if (material.retired.length > 0 && nowMs >= leaf.startMs + BACKDATE_MS + RETIREMENT_MS) {
    return { step: 'retire-authorities', reason: 'no replica serves a certificate of the old authority any more' };
  }
  return { step: 'keep' };
}

/** The material after `step`, made anew; what was there is not touched. */
export async function takeStep(material: Material, step: RotationStep, birth: LeafBirth): Promise<Material> {
  switch (step.step) {
    case 'keep':
      return material;
    case 'renew-leaf':
      return { ...material, leaf: await newLeaf(material.authority, birth) };
    case 'introduce-authority':
      return { ...material, next: await newAuthority(birth) };
    case 'adopt-authority': {
      const authority = material.next ?? (await newAuthority(birth));
      const retired = [material.authority.certificate, ...material.retired];
      return { authority, leaf: await newLeaf(authority, birth), next: undefined, retired };
    }
    case 'retire-authorities':
      return { ...material, retired: [] };
    case 'start-over':
      return createMaterial(birth);
    default:
      return assertNever(step);
  }
}

type Life = { readonly startMs: number; readonly endMs: number };

export function lifeOf(certificate: string): Life {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return { startMs: validFromDate.getTime(), endMs: validToDate.getTime() };
}

/** cert-manager's rule: a third of the life is left for whatever goes wrong. */
const isTwoThirdsOver = ({ startMs, endMs }: Life, nowMs: number): boolean =>
  nowMs >= startMs + ((endMs - startMs) * 2) / 3;

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
