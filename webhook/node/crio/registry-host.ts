/**
 * Whether the first part of a name is a registry to containers/image, whose grammar is older than the kubelet's
 * (`splitDockerDomain`, pull-parity A12): no IPv6, and upper-case letters alone make no host.
 */
export function isRegistryHost(host: string): boolean {
  return !host.startsWith('[') && (host === 'localhost' || /[.:]/u.test(host));
}
