import { createAuthority, createSelfSigned, expiredDates } from '../../support/pki.ts';
import type { ScriptedRegistryOptions } from '../../support/scripted-registry.ts';
import { HOST, hostOf, type Stage } from './stage.ts';

type Files = Readonly<Record<string, string>>;

/** pull-parity part E: certificates, plain HTTP, and what hosts.toml says of them. */
export async function addTlsConditions({ registry, add }: Stage): Promise<void> {
  const authority = createAuthority('Truth Root');
  const names = { names: [HOST] };
  const tls = (pair: { readonly chain: string; readonly key: string }, more: object = {}): ScriptedRegistryOptions => ({
    tls: { cert: pair.chain, key: pair.key, ...more },
  });
  const hostsToml = (host: string, text: string): Files => ({ [`${host}/hosts.toml`]: text });
  const declared = (host: string, more = ''): Files => ({
    [`${host}/root.pem`]: authority.certificate,
    ...hostsToml(host, `server = "https://${host}"\nca = "root.pem"\n${more}`),
  });
  const at = async (
    id: string,
    rule: string,
    options: ScriptedRegistryOptions,
    node?: (host: string) => Files,
  ): Promise<void> => {
    const host = hostOf(await registry(options));
    add({ id, rule, image: `${host}/app:1`, ...(node === undefined ? {} : { node: node(host) }) });
  };
  const good = authority.issue(names);
  const wantsClient = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate };
  const client = authority.issue({ commonName: 'node', use: 'client' });

  await at('tls-unknown-authority', 'J89', tls(good));
  await at('tls-authority-declared', 'E4', tls(good), declared);
  await at('tls-authority-docker-style', 'E3', tls(good), (host) => ({ [`${host}/any.crt`]: authority.certificate }));
  await at('tls-skip-verify', 'E4', tls(good), (host) =>
    hostsToml(host, `server = "https://${host}"\nskip_verify = true\n`),
  );
  await at('tls-wrong-name', 'J89', tls(authority.issue({ names: ['other.truth.test'] })), declared);
  await at('tls-common-name-only', 'J89', tls(authority.issue({ commonName: HOST, names: [] })), declared);
  await at('tls-expired', 'J89', tls(authority.issue({ ...names, dates: expiredDates() })), declared);
  await at('tls-self-signed', 'J89', tls(createSelfSigned(names)));
  await at('tls-intermediate', 'E3', tls(authority.issueAuthority().issue(names)), declared);
  await at('tls-client-wanted', 'J90', tls(good, wantsClient), declared);
  await at('tls-client-given', 'E4', tls(good, wantsClient), (host) => ({
    ...declared(host, 'client = [["client.pem", "client.key"]]\n'),
    [`${host}/client.pem`]: client.certificate,
    [`${host}/client.key`]: client.key,
  }));
  await at('tls-ca-file-absent', 'E3', tls(good), (host) =>
    hostsToml(host, `server = "https://${host}"\nca = "absent.pem"\n`),
  );
  await at('tls-declared-http', 'E6', tls(good), (host) => hostsToml(host, `server = "http://${host}"\n`));
  await at('http-undeclared', 'J87', {});
  await at('http-scheme-missing', 'E4', {}, (host) => hostsToml(host, `server = "${host}"\n`));
  await at('http-with-skip-verify', 'E6', {}, (host) =>
    hostsToml(host, `server = "http://${host}"\nskip_verify = true\n`),
  );
  await at('http-settings-broken', 'J93', {}, (host) => hostsToml(host, `server = "http://${host}\n`));
  await at('http-unknown-capability', 'E3', {}, (host) =>
    hostsToml(host, `server = "http://${host}"\ncapabilities = ["pull", "fly"]\n`),
  );
  const loopback = await registry();
  add({ id: 'http-loopback-literal', rule: 'J88', image: `${loopback.host}/app:1` });
}
