import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { runHere } from '../cli/run-here.ts';
import { cut, redirect } from '../support/bend.ts';
import { createAuthority } from '../support/pki.ts';
import { holdsSecret } from '../support/request-log.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService } from '../support/token-service.ts';

const PASSWORD = 'repeat-password';
const HEADER = 'header-secret';
const SIGNATURE = 'signature-secret';
const SECRETS = [PASSWORD, HEADER, SIGNATURE];
const NAMES = ['reg.test', 'mirror.test', 'blobs.test'];
const run = promisify(execFile);

const isThere = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const skip = isThere('curl') && isThere('bash') ? false : 'needs curl and bash';

let folder = '';
let layer = '';
let registry: ScriptedRegistry;
let mirror: ScriptedRegistry;
let tokens: TokenService;
let secure: { readonly port: number };
let mutual: { readonly port: number };
const authority = createAuthority();
const client = authority.issue({ commonName: 'node', use: 'client' });

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-curl-'));
  registry = await startScriptedRegistry();
  mirror = await startScriptedRegistry({ pathPrefix: '/mirrors/hub' });
  tokens = await startTokenService({ logins: { ci: PASSWORD } });
  const leaf = authority.issue({ names: NAMES });
  const tls = { cert: leaf.chain, key: leaf.key };
  secure = await registry.listenToo({ tls });
  mutual = await registry.listenToo({
    tls: { ...tls, ca: authority.certificate, requestCert: true, rejectUnauthorized: true },
  });
  const app = registry.store.repository('app');
  const arm = app.addImage({ platform: { os: 'linux', architecture: 'arm64' } });
  const amd = app.addImage({ tags: ['1'] });
  layer = amd.layers[0]?.digest ?? '';
  app.addIndex([amd, arm], { tags: ['multi'] });
  write('config.json', JSON.stringify({ auths: { 'reg.test': LOGIN, [at(registry)]: LOGIN } }));
  write('ca.crt', authority.certificate);
  write('client.cert', client.chain);
  write('client.key', client.key);
});
after(async () => {
  await Promise.all([registry.close(), mirror.close(), tokens.close()]);
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  registry.straighten();
  mirror.straighten();
});

const LOGIN = { username: 'ci', password: PASSWORD };
const at = ({ port }: { readonly port: number }): string => `reg.test:${port}`;

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** A certs.d folder of its own for one host. */
function certsD(host: string, hostsToml: string): readonly string[] {
  const name = `certs-${Math.random().toString(36).slice(2)}`;
  write(`${name}/${host}/hosts.toml`, hostsToml);
  return ['--certs-d', join(folder, name)];
}

const plain = (): readonly string[] => certsD(at(registry), `server = "http://${at(registry)}"\n`);
const docker = (): readonly string[] => [
  '--runtime',
  'docker@28.5/graph',
  '--docker-daemon',
  write('daemon.json', JSON.stringify({ 'insecure-registries': [at(registry)] })),
];
const crio = (): readonly string[] => [
  '--runtime',
  'crio@1.34',
  '--registries-conf',
  write('registries.conf', `[[registry]]\nlocation = "${at(registry)}"\ninsecure = true\n`),
];
const withLogin = (): readonly string[] => ['--docker-config', join(folder, 'config.json')];

type Step = { readonly text: string; readonly answer: string; readonly command: string };

/** The requests of a tree as it is printed, each with the command below it. */
function stepsIn(tree: string): readonly Step[] {
  const steps: Step[] = [];
  let text = '';
  for (const line of tree.split('\n')) {
    const bare = line.replace(/^[|` ]*(?:\|- |`- )?/u, '');
    if (bare.startsWith('curl ')) {
      const answer = /: ?(?<answer>\d{3}|no answer \([a-z-]+\))$/u.exec(text)?.groups?.['answer'];
      assert.ok(answer !== undefined, `a command below what is no request: ${text}`);
      steps.push({ text, answer, command: bare });
    } else text = /[|`]- /u.test(line) ? bare : `${text}${text.endsWith('/') ? '' : ' '}${bare}`;
  }
  return steps;
}

/** Runs each command as a reader would, the variables set from what stands in the answers before. */
async function repeat(steps: readonly Step[]): Promise<readonly string[]> {
  const variables: Record<string, string> = {
    USERNAME: 'ci',
    PASSWORD,
    HEADER_X_META: HEADER,
    HEADER_X_META_2: HEADER,
  };
  const answers: string[] = [];
  for (const { command } of steps) {
    const env = { PATH: process.env['PATH'] ?? '', ...variables };
    // each needs what came before it
    // oxlint-disable-next-line no-await-in-loop
    const output = await run('bash', ['-uc', command], { env, timeout: 10_000, encoding: 'latin1' }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : ''),
    );
    const status = /^HTTP\/1\.1 (?<status>\d{3})/u.exec(output)?.groups?.['status'];
    answers.push(status ?? 'no answer');
    variables['TOKEN'] =
      /"(?:access_)?token":"(?<token>[^"]+)"/u.exec(output)?.groups?.['token'] ?? variables['TOKEN'] ?? '';
    variables['LOCATION'] = /^location: (?<at>\S+)/imu.exec(output)?.groups?.['at'] ?? variables['LOCATION'] ?? '';
  }
  return answers;
}

async function explain(args: readonly string[]): Promise<string> {
  const names = NAMES.flatMap((name) => ['--add-host', `${name}:127.0.0.1`]);
  const { stderr } = await runHere(['check', '--explain', '-o', 'json', ...names, ...args]);
  return stderr;
}

const image = (tag: string): string => `${at(registry)}/app:${tag}`;

describe('the commands of --explain', { skip }, () => {
  const situations: readonly (readonly [
    what: string,
    arrange: () => readonly string[],
    says: readonly RegExp[],
    fewest: number,
  ])[] = [
    ['plain HTTP without a login', () => [...plain(), image('1')], [/-sSI --resolve reg\.test:\d+:127\.0\.0\.1 /u], 4],
    [
      'a tag that does not exist, and those like it',
      () => [...plain(), '--similar-tags', image('v1')],
      [/tags\/list\?n=500/u, /its error code: MANIFEST_UNKNOWN/u, /like it: 1/u],
      3,
    ],
    [
      'a login by Basic',
      () => {
        registry.bend({}, basicAuth({ ci: PASSWORD }));
        return [...plain(), ...withLogin(), image('1')];
      },
      [/with the login of pull secret "[^"]*", entry "reg\.test:\d+": 200/u, /-u "\$USERNAME:\$PASSWORD"/u],
      5,
    ],
    [
      'a token that is posted for',
      () => {
        registry.bend({}, tokens.bearerAuth);
        return [...plain(), ...withLogin(), image('1')];
      },
      [/POST http\S+ for a token/u, /"password=\$PASSWORD"/u, /"Authorization: Bearer \$TOKEN"/u],
      6,
    ],
    [
      'a token without a login',
      () => {
        registry.bend({}, tokens.bearerAuth);
        return [...plain(), image('1')];
      },
      [/GET http\S+ for a token, without a login/u],
      5,
    ],
    [
      "dockerd's ping and its token by GET",
      () => {
        registry.bend({}, tokens.bearerAuth);
        return [...docker(), ...withLogin(), image('1')];
      },
      [/GET http\S+\/v2\/: 401/u, /account=\*\*\*/u, /account='"\$USERNAME"/u],
      6,
    ],
    [
      "CRI-O's ping and its login by Basic",
      () => {
        registry.bend({}, basicAuth({ ci: PASSWORD }));
        return [...crio(), ...withLogin(), image('1')];
      },
      [/GET http\S+\/v2\/: 401/u, /-u "\$USERNAME:\$PASSWORD"/u, /HTTPS failed/u],
      4,
    ],
    [
      'a mirror with a path of its own, headers and ?ns=, then the upstream',
      () => {
        const url = `http://mirror.test:${mirror.port}/mirrors/hub`;
        const table = `[host."${url}"]\ncapabilities = ["pull", "resolve"]\noverride_path = true\n`;
        const headers = `[host."${url}".header]\nX-Meta = ["${HEADER}", "${HEADER}"]\n`;
        return [...certsD(at(registry), `server = "http://${at(registry)}"\n${table}${headers}`), image('1')];
      },
      [/\/mirrors\/hub\/app\/manifests\/1\?ns=reg\.test%3A\d+: 404/u, /-H 'X-Meta: '"\$HEADER_X_META_2"/u],
      8,
    ],
    [
      'blobs that lie behind a signed redirect',
      () => {
        const elsewhere = `http://blobs.test:${registry.port}`;
        registry.bend({ kind: 'blob' }, (question, answer) =>
          question.url.host.startsWith('blobs.test')
            ? answer
            : redirect(`${elsewhere}${question.url.pathname}?sig=${SIGNATURE}&se=1`)(question, answer),
        );
        return [...plain(), image('1')];
      },
      [/\?sig=\*\*\*&se=\*\*\*, where it is redirected to: 200/u, /"\$LOCATION"/u],
      6,
    ],
    [
      'a CA that hosts.toml names',
      () => [
        ...certsD(at(secure), `server = "https://${at(secure)}"\nca = "${join(folder, 'ca.crt')}"\n`),
        `${at(secure)}/app:1`,
      ],
      [/--cacert \S+ca\.crt/u],
      4,
    ],
    [
      'two CA files and a client certificate',
      () => {
        const ca = join(folder, 'ca.crt');
        const pair = `[["${join(folder, 'client.cert')}", "${join(folder, 'client.key')}"]]`;
        const toml = `server = "https://${at(mutual)}"\nca = ["${ca}", "${ca}"]\nclient = ${pair}\n`;
        return [...certsD(at(mutual), toml), `${at(mutual)}/app:1`];
      },
      [/--cacert <\(cat /u, /--cert \S+client\.cert --key \S+client\.key/u],
      4,
    ],
    [
      'certificate files without a hosts.toml',
      () => {
        write(`bare/${at(secure)}/ca.crt`, authority.certificate);
        return ['--certs-d', join(folder, 'bare'), `${at(secure)}/app:1`];
      },
      [/--cacert \S+\/bare\/reg\.test:\d+\/ca\.crt/u],
      4,
    ],
    [
      'TLS that is not verified',
      () => [...certsD(at(secure), `server = "https://${at(secure)}"\nskip_verify = true\n`), `${at(secure)}/app:1`],
      [/curl -sSI -k /u],
      4,
    ],
    [
      'a CA that nobody declared',
      () => [`${at(secure)}/app:1`],
      [/no answer \(certificate\)/u, /rule tls-unknown-authority/u],
      1,
    ],
    [
      'a layer that breaks off and goes on by Range',
      () => {
        registry.bend({ kind: 'blob', method: 'GET', reference: layer }, cut(20), { times: 1 });
        return [...plain(), '--verify', 'content', image('1')];
      },
      [/-H 'range: bytes=20-'/u, /: 206/u],
      6,
    ],
    [
      'an index for two platforms',
      () => [...plain(), '--platform', 'linux/arm64', image('multi')],
      [/index offers linux\/amd64, linux\/arm64.*; linux\/arm64.*takes\s[|\s]*1 of 2/su],
      4,
    ],
  ];
  for (const [what, arrange, says, fewest] of situations) {
    it(`repeat ${what}, with the same answers`, async () => {
      const tree = await explain(arrange());

      const steps = stepsIn(tree);

      assert.ok(steps.length >= fewest, tree);
      for (const words of says) assert.match(tree.replaceAll(/\s*\n[|` ]*(?=[a-z0-9"/])(?!curl )/gu, ' '), words);
      for (const secret of SECRETS) assert.equal(holdsSecret(tree, secret), false, `${secret} is printed`);
      registry.straighten();
      arrange();
      assert.deepEqual(
        await repeat(steps),
        steps.map(({ answer }) => answer.replace(/ \(.*/u, '')),
        tree,
      );
    });
  }
});
