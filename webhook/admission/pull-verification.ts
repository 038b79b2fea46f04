import type { NodeDeclaration } from '../policy/policy.ts';

type Kubelets = NodeDeclaration['kubelet'];

const VERSION = /^v?(?<major>\d{1,3})\.(?<minor>\d{1,3})/u;
/** Where the gate KubeletEnsureSecretPulledImages came, alpha and off, and where it is on unless switched off. */
const ALPHA_MINOR = 33;
const BETA_MINOR = 35;

/**
 * Whether the kubelets that hold an image may ask the registry for it again, with the logins of the Pod that wants it
 * (KEP-2535, pull-parity B5). They keep records of who pulled what, which nobody outside the node sees: so it is never
 * certain that they will. False where one of them will not. `versions` are those of the Nodes that hold the image.
 */
export function mayPullAgain(image: string, kubelets: Kubelets, versions: readonly string[]): boolean {
  const declared = kubelets.imagePullCredentialsVerificationPolicy;
  // the kubelet refuses the setting while the gate is off, so whoever declares it has the gate on
  if (!versions.every((version) => isAtLeast(version, declared === undefined ? BETA_MINOR : ALPHA_MINOR))) return false;
  if (declared === 'NeverVerify') return false;
  return declared !== 'NeverVerifyAllowlistedImages' || !isListed(image, kubelets.preloadedImagesVerificationAllowlist);
}

/** A version that cannot be read may be any. */
function isAtLeast(version: string, minor: number): boolean {
  const groups = VERSION.exec(version)?.groups;
  return groups === undefined || Number(groups['major']) > 1 || Number(groups['minor']) >= minor;
}

/** Compared as written: the kubelet adds neither a registry nor `library/` (pullmanager `imageMatches`). */
function isListed(image: string, allowlist: readonly string[]): boolean {
  const name = withoutTag(image);
  return allowlist.some((one) => (one.endsWith('/*') ? name.startsWith(one.slice(0, -1)) : name === one));
}

function withoutTag(image: string): string {
  const named = image.split('@', 1)[0] ?? '';
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/') ? named.slice(0, colon) : named;
}
