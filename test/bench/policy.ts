import { readPolicy } from '../../webhook/policy/load.ts';
import type { Policy } from '../../webhook/policy/policy.ts';

/** A policy document for nodes that trust `authority` (PEM), with a registry on loopback that may be dialled. */
export function policyText(host: string, authority: string): string {
  return JSON.stringify({
    apiVersion: 'pullguard.io/v1',
    kind: 'PullPolicy',
    nodes: { settings: 'complete', credentialProviders: 'none', certificateAuthorities: [authority] },
    network: { allow: [host] },
  });
}

export function policyFor(host: string, authority: string): Policy {
  const policy = readPolicy(policyText(host, authority), 'policy.yaml');
  if (!policy.ok) throw new Error(policy.error.map(({ message }) => message).join('; '));
  return policy.value;
}
