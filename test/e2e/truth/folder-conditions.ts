import { createAuthority } from '../../support/pki.ts';
import { HOST, hostOf, type Stage } from './stage.ts';

type Files = Readonly<Record<string, string>>;
type Names = { readonly host: string; readonly port: number; readonly mirror: string };

/** pull-parity E2 to E4: where containerd looks for settings, and how it reads hosts.toml. */
export async function addFolderConditions({ registry, add }: Stage): Promise<void> {
  const sound = await registry();
  const mirror = `http://${hostOf(sound)}`;
  /** The registry speaks plain HTTP: who loses the file asks for https, and fails. */
  const at = async (id: string, rule: string, files: (names: Names) => Files, name = HOST): Promise<void> => {
    const { port } = await registry();
    const host = `${name}:${port}`;
    add({ id, rule, image: `${host}/app:1`, node: files({ host, port, mirror }) });
  };
  const toml = (id: string, rule: string, text: (names: Names) => string): Promise<void> =>
    at(id, rule, (names) => ({ [`${names.host}/hosts.toml`]: text(names) }));

  await at('folder-shadowed', 'E2', ({ host, port }) => ({
    [`${HOST}_${port}_/notes.txt`]: 'nothing that containerd reads',
    [`${host}/hosts.toml`]: `server = "http://${host}"\n`,
  }));
  await at('folder-underscores-first', 'E2', ({ host, port }) => ({
    [`${HOST}_${port}_/hosts.toml`]: `server = "http://${host}"\n`,
    [`${host}/hosts.toml`]: `server = "https://${host}"\n`,
  }));
  await at('folder-without-port', 'E2', ({ host }) => ({ [`${HOST}/hosts.toml`]: `server = "http://${host}"\n` }));
  await at(
    'folder-of-other-case',
    'E2',
    ({ port, host }) => ({
      [`${HOST}:${port}/hosts.toml`]: `server = "http://${host}"\n`,
    }),
    'REG.truth.test',
  );
  await at(
    'folder-of-own-case',
    'E2',
    ({ host }) => ({
      [`${host}/hosts.toml`]: `server = "http://${host}"\n`,
    }),
    'REG.truth.test',
  );
  await at('file-of-other-name', 'E3', ({ host }) => ({ [`${host}/Hosts.toml`]: `server = "http://${host}"\n` }));

  await toml(
    'keys-of-other-case',
    'E4',
    ({ host }) => `SERVER = "http://${host}"\nCapabilities = ["pull", "resolve"]\n`,
  );
  await toml('host-of-other-case', 'E4', ({ host, mirror: to }) => `server = "https://${host}"\n[Host."${to}"]\n`);
  await toml('host-written-inline', 'E4', ({ mirror: to }) => `host = { "${to}" = {} }\n`);
  await toml('host-written-dotted', 'E4', ({ mirror: to }) => `host."${to}".capabilities = ["pull", "resolve"]\n`);
  await toml('host-in-single-quotes', 'E4', ({ mirror: to }) => `[host.'${to}']\n`);
  await toml('host-without-scheme', 'E4', ({ mirror: to }) => `[host."${to.slice('http://'.length)}"]\n`);
  await toml('host-table-after-server', 'E4', ({ host, mirror: to }) => `[host."${to}"]\nserver = "http://${host}"\n`);
  await toml(
    'host-twice',
    'E3',
    ({ host, mirror: to }) => `server = "http://${host}"\n[host."${to}"]\n[host."${to}"]\n`,
  );
  await toml('key-unknown', 'E3', ({ host }) => `server = "http://${host}"\ncolour = "red"\n`);
  await toml('key-twice', 'E3', ({ host }) => `server = "http://${host}"\nserver = "http://${host}"\n`);
  await toml('server-with-slash', 'E4', ({ host }) => `server = "http://${host}/"\n`);
  await toml('server-with-version', 'E4', ({ host }) => `server = "http://${host}/v2"\n`);
  await toml(
    'server-with-version-overridden',
    'E4',
    ({ host }) => `server = "http://${host}/v2"\noverride_path = true\n`,
  );
  await toml('server-without-version', 'E4', ({ host }) => `server = "http://${host}"\noverride_path = true\n`);
  await toml('server-with-user', 'E4', ({ host }) => `server = "http://me:secret@${host}"\n`);
  await toml('server-upper-case-scheme', 'E4', ({ host }) => `server = "HTTP://${host}"\n`);
  await toml('server-number', 'E3', () => 'server = 5\n');
  await toml('server-empty', 'E4', ({ mirror: to }) => `server = ""\n[host."${to}"]\n`);
  await toml('dial-timeout', 'E4', ({ host }) => `server = "http://${host}"\ndial_timeout = "5s"\n`);
  await toml('dial-timeout-odd', 'E3', ({ host }) => `server = "http://${host}"\ndial_timeout = "5"\n`);
  await toml('dial-timeout-number', 'E3', ({ host }) => `server = "http://${host}"\ndial_timeout = 5\n`);
  await toml('capabilities-text', 'E3', ({ host }) => `server = "http://${host}"\ncapabilities = "pull"\n`);
  await toml('capabilities-referrers', 'E3', ({ host }) => `server = "http://${host}"\ncapabilities = ["referrers"]\n`);
  await toml('header-list', 'E4', ({ host }) => `server = "http://${host}"\n[header]\nx-one = ["a", "b"]\n`);
  await toml('header-number', 'E3', ({ host }) => `server = "http://${host}"\n[header]\nx-one = 1\n`);
  await toml('flag-as-text', 'E3', ({ host }) => `server = "http://${host}"\nskip_verify = "true"\n`);
  await toml('byte-order-mark', 'E3', ({ host }) => `\u{FEFF}server = "http://${host}"\n`);
  await toml('lines-of-windows', 'E3', ({ host }) => `# one\r\nserver = "http://${host}"\r\n`);
  await toml('client-absent', 'E3', ({ host }) => `server = "http://${host}"\nclient = "absent.pem"\n`);
  await toml('ca-absent', 'E3', ({ host }) => `server = "http://${host}"\nca = "absent.pem"\n`);
  const certificate = createAuthority().certificate;
  await at('ca-no-certificate', 'E3', ({ host }) => ({
    [`${host}/hosts.toml`]: `server = "http://${host}"\nca = "notes.pem"\n`,
    [`${host}/notes.pem`]: 'no certificate\n',
  }));
  await at('ca-on-plain-http', 'E6', ({ host }) => ({
    [`${host}/hosts.toml`]: `server = "http://${host}"\nca = ["root.pem"]\n`,
    [`${host}/root.pem`]: certificate,
  }));
  await at('crt-no-certificate', 'E3', ({ host }) => ({ [`${host}/notes.crt`]: 'no certificate\n' }));
}
