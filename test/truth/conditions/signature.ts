import type { Asked, Condition } from '../condition.ts';
import { insecureRegistry, type Stage } from '../stage.ts';

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];

/** A sound image, and a policy.json that may name its host and its digest. */
const ruled =
  (policy: (host: string, digest: string) => unknown, isByDigest = false) =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, image, files } = await insecureRegistry(stage);
    const { digest } = app.addImage({ tags: ['1'] });
    const document = policy(registry.host, digest);
    return {
      image: isByDigest ? image.replace(/:1$/u, `@${digest}`) : image,
      files: { ...files, 'policy.json': typeof document === 'string' ? document : JSON.stringify(document) },
    };
  };
const scoped = (scope: string, inside: unknown, outside: unknown): unknown => ({
  default: outside,
  transports: { docker: { [scope]: inside } },
});

export const SIGNATURES: readonly Condition[] = [
  { name: 'a policy that rejects all', pulls: false, arrange: ruled(() => ({ default: REJECT })) },
  {
    name: 'a policy that rejects all but the host',
    pulls: true,
    arrange: ruled((host) => scoped(host, ACCEPT, REJECT)),
  },
  { name: 'a policy that rejects the host', pulls: false, arrange: ruled((host) => scoped(host, REJECT, ACCEPT)) },
  {
    name: 'a policy that rejects the namespace',
    pulls: false,
    arrange: ruled((host) => scoped(`${host}/team`, REJECT, ACCEPT)),
  },
  {
    name: 'a policy that rejects another namespace',
    pulls: true,
    arrange: ruled((host) => scoped(`${host}/tea`, REJECT, ACCEPT)),
  },
  {
    name: 'a policy that rejects the repository',
    pulls: false,
    arrange: ruled((host) => scoped(`${host}/team/app`, REJECT, ACCEPT)),
  },
  {
    name: 'a policy that rejects the tag',
    pulls: false,
    arrange: ruled((host) => scoped(`${host}/team/app:1`, REJECT, ACCEPT)),
  },
  {
    name: 'a policy that rejects another tag',
    pulls: true,
    arrange: ruled((host) => scoped(`${host}/team/app:2`, REJECT, ACCEPT)),
  },
  {
    name: 'a policy that rejects the digest',
    pulls: false,
    arrange: ruled((host, digest) => scoped(`${host}/team/app@${digest}`, REJECT, ACCEPT), true),
  },
  {
    name: 'a policy that rejects the digest of what is asked for by tag',
    pulls: true,
    arrange: ruled((host, digest) => scoped(`${host}/team/app@${digest}`, REJECT, ACCEPT)),
  },
  {
    name: 'a policy that rejects the host without its port',
    pulls: true,
    arrange: ruled(() => scoped('127.0.0.1', REJECT, ACCEPT)),
  },
  { name: 'a policy that rejects a wildcard', pulls: false, arrange: ruled(() => scoped('*.0.0.1', REJECT, ACCEPT)) },
  { name: 'a policy that rejects the transport', pulls: false, arrange: ruled(() => scoped('', REJECT, ACCEPT)) },
  {
    name: 'a policy for another transport',
    pulls: true,
    arrange: ruled(() => ({ default: ACCEPT, transports: { 'docker-daemon': { '': REJECT } } })),
  },
  {
    name: 'a policy that accepts and rejects',
    pulls: false,
    arrange: ruled(() => ({ default: [...ACCEPT, ...REJECT] })),
  },
  { name: 'a scope with a star inside', pulls: true, arrange: ruled(() => scoped('a*.example/x', REJECT, ACCEPT)) },
  {
    name: 'a policy that wants a signature',
    pulls: false,
    differs: 'signatures are not verified, which a finding says',
    arrange: ruled(() => ({ default: [{ type: 'signedBy', keyType: 'GPGKeys', keyData: 'AAAA' }] })),
  },
  { name: 'a policy without a default', pulls: false, arrange: ruled(() => ({ transports: {} })) },
  { name: 'a policy with an empty list', pulls: false, arrange: ruled(() => ({ default: [] })) },
  {
    name: 'a policy with a key that nobody knows',
    pulls: false,
    arrange: ruled(() => ({ default: ACCEPT, note: 'no' })),
  },
  {
    name: 'a policy with a type that nobody knows',
    pulls: false,
    arrange: ruled(() => ({ default: [{ type: 'accept' }] })),
  },
  {
    name: 'a policy with no transports but null',
    pulls: false,
    arrange: ruled(() => ({ default: ACCEPT, transports: null })),
  },
  { name: 'a policy that is no JSON', pulls: false, arrange: ruled(() => '{') },
];
