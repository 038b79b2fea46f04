import type { TlsOptions } from 'node:tls';
import {
  createSelfSigned,
  expiredDates,
  futureDates,
  type CertificatePair,
  type LeafOptions,
} from '../../support/pki.ts';
import type { ScriptedRegistry } from '../../support/scripted-registry.ts';
import type { Asked, Condition } from '../condition.ts';
import { appOf, insecureFiles, named, type Stage } from '../stage.ts';

const NAME = 'reg.truth.test';

type Setup = {
  /** Default: for NAME, by the stage's authority. */
  readonly leaf?: LeafOptions;
  readonly pair?: (stage: Stage) => CertificatePair;
  /** More of what the server's TLS takes. */
  readonly server?: (stage: Stage) => TlsOptions;
  /** Below `certs.d/<host>/`. */
  readonly folder?: (stage: Stage) => Readonly<Record<string, string>>;
  readonly isInsecure?: boolean;
  /** The name of the folder. Default: the host with its port. */
  readonly folderOf?: (host: string) => string;
  readonly hostOf?: (registry: ScriptedRegistry) => string;
};

const trusted = (stage: Stage): Readonly<Record<string, string>> => ({ 'ca.crt': stage.authority.certificate });

/** A registry over TLS with a sound image. */
const secured =
  (setup: Setup) =>
  async (stage: Stage): Promise<Asked> => {
    const pair = setup.pair?.(stage) ?? stage.authority.issue(setup.leaf ?? { names: [NAME] });
    const registry = await stage.registry({ tls: { cert: pair.chain, key: pair.key, ...setup.server?.(stage) } });
    appOf(registry.store).addImage({ tags: ['1'] });
    const host = setup.hostOf?.(registry) ?? named(NAME, registry);
    const folder = setup.folderOf?.(host) ?? host;
    const files = Object.entries(setup.folder?.(stage) ?? {}).map(([name, text]) => [
      `certs.d/${folder}/${name}`,
      text,
    ]);
    return {
      image: `${host}/team/app:1`,
      files: { ...Object.fromEntries(files), ...(setup.isInsecure === true ? insecureFiles(host) : {}) },
    };
  };

const wantsClient = (stage: Stage): TlsOptions => ({
  requestCert: true,
  rejectUnauthorized: true,
  ca: stage.authority.certificate,
});
function clientPair(stage: Stage): Readonly<Record<string, string>> {
  const { certificate, key } = stage.authority.issue({ commonName: 'node', use: 'client' });
  return { ...trusted(stage), 'client.cert': certificate, 'client.key': key };
}
const withIntermediate = (stage: Stage): CertificatePair => stage.authority.issueAuthority().issue({ names: [NAME] });

/** The same registry over plain HTTP. */
const plain =
  (isInsecure: boolean, hostOf: (registry: ScriptedRegistry) => string) =>
  async (stage: Stage): Promise<Asked> => {
    const registry = await stage.registry();
    appOf(registry.store).addImage({ tags: ['1'] });
    const host = hostOf(registry);
    return { image: `${host}/team/app:1`, files: isInsecure ? insecureFiles(host) : {} };
  };
const byName = (registry: ScriptedRegistry): string => named(NAME, registry);
const onLocalhost = (registry: ScriptedRegistry): string => named('localhost', registry);

export const TLS: readonly Condition[] = [
  { name: 'an authority that certs.d has', pulls: true, arrange: secured({ folder: trusted }) },
  { name: 'an authority that nobody has', pulls: false, arrange: secured({}) },
  { name: 'an authority that nobody has, insecure', pulls: true, arrange: secured({ isInsecure: true }) },
  {
    name: 'an authority in a file that is no .crt',
    pulls: false,
    arrange: secured({ folder: (stage) => ({ 'ca.pem': stage.authority.certificate }) }),
  },
  {
    name: 'an authority in the folder of the host without its port',
    pulls: false,
    arrange: secured({ folder: trusted, folderOf: (host) => host.split(':', 1)[0] ?? '' }),
  },
  {
    name: 'an authority file without a certificate',
    pulls: false,
    arrange: secured({ folder: () => ({ 'ca.crt': 'none' }) }),
  },
  {
    name: 'a second .crt that holds the authority',
    pulls: true,
    arrange: secured({ folder: (stage) => ({ 'a.crt': 'none', 'b.crt': stage.authority.certificate }) }),
  },
  {
    name: 'an intermediate that the server sends',
    pulls: true,
    arrange: secured({ pair: withIntermediate, folder: trusted }),
  },
  {
    name: 'an intermediate that the server keeps to itself',
    pulls: false,
    arrange: secured({
      pair: (stage) => {
        const pair = withIntermediate(stage);
        return { ...pair, chain: pair.certificate };
      },
      folder: trusted,
    }),
  },
  {
    name: 'a self-signed certificate',
    pulls: false,
    arrange: secured({ pair: () => createSelfSigned({ names: [NAME] }) }),
  },
  {
    name: 'a self-signed certificate on localhost',
    pulls: false,
    docker: { pulls: true },
    arrange: secured({ pair: () => createSelfSigned({ names: ['localhost'] }), hostOf: onLocalhost }),
  },
  {
    name: 'a certificate of another name',
    pulls: false,
    arrange: secured({ leaf: { names: ['else.truth.test'] }, folder: trusted }),
  },
  {
    name: 'a certificate of another name, insecure',
    pulls: true,
    arrange: secured({ leaf: { names: ['else.truth.test'] }, isInsecure: true }),
  },
  {
    name: 'a certificate with a wildcard',
    pulls: true,
    arrange: secured({ leaf: { names: ['*.truth.test'] }, folder: trusted }),
  },
  {
    name: 'a certificate with a common name alone',
    pulls: false,
    arrange: secured({ leaf: { commonName: NAME }, folder: trusted }),
  },
  {
    name: 'a certificate without the address that is asked',
    pulls: false,
    docker: { pulls: true },
    arrange: secured({ folder: trusted, hostOf: ({ host }) => host }),
  },
  {
    name: 'a certificate with the address that is asked',
    pulls: true,
    arrange: secured({ leaf: { addresses: ['127.0.0.1'] }, folder: trusted, hostOf: ({ host }) => host }),
  },
  {
    name: 'a certificate that has ended',
    pulls: false,
    arrange: secured({ leaf: { names: [NAME], dates: expiredDates() }, folder: trusted }),
  },
  {
    name: 'a certificate of tomorrow',
    pulls: false,
    arrange: secured({ leaf: { names: [NAME], dates: futureDates() }, folder: trusted }),
  },
  {
    name: 'a certificate that has ended, insecure',
    pulls: true,
    arrange: secured({ leaf: { names: [NAME], dates: expiredDates() }, isInsecure: true }),
  },
  {
    name: 'a client certificate wanted and not there',
    pulls: false,
    arrange: secured({ server: wantsClient, folder: trusted }),
  },
  {
    name: 'a client certificate wanted and there',
    pulls: true,
    arrange: secured({ server: wantsClient, folder: clientPair }),
  },
  {
    name: 'a client certificate wanted and there, insecure',
    pulls: true,
    docker: { pulls: false },
    arrange: secured({ server: wantsClient, folder: clientPair, isInsecure: true }),
  },
  {
    name: 'a client certificate without its key',
    pulls: false,
    arrange: secured({ folder: (stage) => ({ ...trusted(stage), 'client.cert': stage.authority.certificate }) }),
  },
  {
    name: 'a key without its client certificate',
    pulls: false,
    arrange: secured({ folder: (stage) => ({ ...trusted(stage), 'client.key': stage.authority.issue().key }) }),
  },
  {
    name: 'TLS 1.1 at most',
    pulls: false,
    arrange: secured({ server: () => ({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }), folder: trusted }),
  },
  { name: 'plain HTTP that nobody told of', pulls: false, arrange: plain(false, byName) },
  { name: 'plain HTTP, insecure', pulls: true, arrange: plain(true, byName) },
  { name: 'plain HTTP on localhost', pulls: false, docker: { pulls: true }, arrange: plain(false, onLocalhost) },
  { name: 'plain HTTP on 127.0.0.1', pulls: false, docker: { pulls: true }, arrange: plain(false, ({ host }) => host) },
  {
    name: 'a port where nobody listens',
    pulls: false,
    arrange: async (stage) => {
      const asked = await secured({ folder: trusted })(stage);
      const gone = await stage.registry();
      await gone.close();
      return { ...asked, image: `${named(NAME, gone)}/team/app:1` };
    },
  },
];
