/** Where registries are that are not on loopback: an address that nobody has (RFC 5737), in a network of its own. */
export const ELSEWHERE = '198.51.100.1';
