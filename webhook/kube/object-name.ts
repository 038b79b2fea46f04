/** Names of Secrets, ServiceAccounts and ConfigMaps (RFC 1123 subdomain), and of namespaces (label). */
const SUBDOMAIN = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/**
 * Whether an object can have this name. `imagePullSecrets` takes any text, and in a URL `..` would ask for another
 * path, `.` for the list: what cannot exist is never asked for.
 */
export const isObjectName = (namespace: string, name: string): boolean => LABEL.test(namespace) && SUBDOMAIN.test(name);
