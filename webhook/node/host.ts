import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A host with its port taken off, as Go's `net.SplitHostPort` does: brackets go only where a port is written. */
export type HostPort = { readonly host: string; readonly port: string };

const WITH_PORT = /^(?:\[(?<bracketed>[^[\]]*)\]|(?<plain>[^:[\]]*)):(?<port>[^:[\]]*)$/u;

/** `reg:5000` is `reg` and `5000`; without a port the whole text is the host, brackets included. */
export function splitHostPort(authority: string): HostPort {
  const groups = WITH_PORT.exec(authority)?.groups;
  if (groups === undefined) return { host: authority, port: '' };
  return { host: groups['bracketed'] ?? groups['plain'] ?? '', port: groups['port'] ?? '' };
}

/** The address that `host` spells, `undefined` for a name. Octal and short forms are names, as they are to Go. */
export function addressOf(host: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  return isIP(host) === 0 ? undefined : ipaddr.process(host);
}

/**
 * Whether containerd takes a host for the machine itself (core/remotes/docker `IsLocalhost`): the name `localhost` or
 * a loopback address, by its letters. `[::1]` without a port is not, since Go does not read brackets as an address.
 */
export function isLocalhost(authority: string): boolean {
  const { host } = splitHostPort(authority);
  return host === 'localhost' || addressOf(host)?.range() === 'loopback';
}

/** Where a host's registry is asked: Docker Hub answers elsewhere than its images' names say. */
export const registryOf = (host: string): string => (host === 'docker.io' ? 'registry-1.docker.io' : host);
