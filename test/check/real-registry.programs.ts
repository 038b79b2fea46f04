import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createImageStore, type ImageStore, type StoredImage } from '../../webhook/demo/image-store.ts';
import { runHere } from '../cli/run-here.ts';
import { LOGIN, skipReason, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts';
import { createAuthority } from '../support/pki.ts';
import { holdsSecret } from '../support/request-log.ts';
import { flipBit, reorderManifest, storedFiles, type StoredFiles } from '../support/stored-files.ts';

const SKIPPED = { skip: skipReason() };
const NO_SUCH_DIGEST = `sha256:${'0'.repeat(64)}`;

const authority = createAuthority();
let folder = '';
/** One server of each kind, for everything that is asked of that kind. */
let plain: DockerRegistry;
let locked: DockerRegistry;
let secure: DockerRegistry;
before(async () => {
  if (SKIPPED.skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'pullguard-real-registry-'));
  const { certificate, key } = authority.issue({ names: ['reg.test'], addresses: ['127.0.0.1'] });
  [plain, locked, secure] = await Promise.all([
    startDockerRegistry(),
    startDockerRegistry({ isPrivate: true }),
    startDockerRegistry({ tls: { certificate, key, authority: authority.certificate } }),
  ]);
  const store = createImageStore();
  store.repository('team/app').addImage({ tags: ['1'] });
  await Promise.all([plain, locked, secure].map((registry) => registry.push(store, 'team/app', '1')));
});
after(async () => {
  if (SKIPPED.skip !== false) return;
  await Promise.all([plain, locked, secure].map((registry) => registry.close()));
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** A registry on loopback under a name: runtimes ask 127.0.0.1 without TLS or without verifying it. */
const named = ({ host }: DockerRegistry): string => host.replace('127.0.0.1', 'reg.test');

type Result = {
  readonly outcome: string;
  readonly conclusive: boolean;
  readonly action: string;
  readonly message: string;
  readonly depth: string | null;
};

/** What `pullguard check` says of each of them, in their order. */
async function judge(images: readonly string[], flags: readonly string[]): Promise<readonly Result[]> {
  const { stdout, stderr } = await runHere([
    'check',
    '--add-host',
    'reg.test:127.0.0.1',
    '-o',
    'json',
    ...flags,
    ...images,
  ]);
  assert.equal(stderr, '');
  assert.ok(!holdsSecret(stdout, LOGIN.password), 'the report holds the password');
  return (JSON.parse(stdout) as { readonly results: readonly Result[] }).results;
}

const inShort = ({ outcome, conclusive, action }: Result): string =>
  `${outcome} ${action}${conclusive ? '' : ', not proven'}`;

const withHosts = (name: string, host: string, text: string): readonly string[] => {
  write(`${name}/${host}/hosts.toml`, text);
  return ['--certs-d', join(folder, name)];
};
const withRegistriesConf = (name: string, host: string): readonly string[] => [
  '--runtime',
  'crio@1.34',
  '--registries-conf',
  write(name, `[[registry]]\nlocation = "${host}"\ninsecure = true\n`),
];
const withDaemon = (name: string, settings: object): readonly string[] => [
  '--runtime',
  'docker@28.5',
  '--docker-daemon',
  write(name, JSON.stringify(settings)),
];

describe("Debian's docker-registry with damaged storage", SKIPPED, () => {
  type Row = {
    readonly name: string;
    readonly damage: (files: StoredFiles, image: StoredImage, sibling: StoredImage) => void;
    /** Tagged is an index of this image and its sibling for arm64, which is nowhere otherwise. */
    readonly isIndex?: true;
    readonly byDigest?: true;
    /** By containerd's rules; the others' where they differ. */
    readonly expected: string;
    readonly docker?: string;
    readonly crio?: string;
    /** With `--verify content`, where that sees more. */
    readonly content?: string;
    /** What the message must name. */
    readonly named?: 'manifest' | 'config' | 'layer' | 'tag';
  };
  const WHOLE = 'pullable allow';
  const DAMAGED = 'damaged deny';
  const NO_TAG = 'tag-not-found deny';
  const FAILS = 'registry-error warn, not proven';
  const rows: readonly Row[] = [
    { name: 'nothing', damage: () => undefined, expected: WHOLE },
    {
      name: 'the manifest removed',
      damage: ({ content }, { digest }) => rmSync(content(digest)),
      expected: NO_TAG,
      named: 'tag',
    },
    {
      name: 'the manifest removed, asked for by digest',
      damage: ({ content }, { digest }) => rmSync(content(digest)),
      byDigest: true,
      expected: 'digest-not-found deny',
      named: 'manifest',
    },
    {
      // containers/image takes the digest of what it gets for the image's
      name: 'the manifest altered, as long and as sound as it was',
      damage: ({ content }, { digest }) => reorderManifest(content(digest)),
      expected: DAMAGED,
      crio: WHOLE,
      named: 'manifest',
    },
    {
      name: 'the manifest altered, asked for by digest',
      damage: ({ content }, { digest }) => reorderManifest(content(digest)),
      byDigest: true,
      expected: DAMAGED,
      named: 'manifest',
    },
    {
      name: 'the manifest altered to what is no JSON',
      damage: ({ content }, { digest }) => flipBit(content(digest), 0),
      expected: FAILS,
    },
    {
      name: 'the manifest truncated to nothing',
      damage: ({ content }, { digest }) => truncateSync(content(digest), 0),
      expected: FAILS,
    },
    {
      name: "the manifest's revision link removed",
      damage: ({ revision }, { digest }) => rmSync(revision(digest)),
      expected: NO_TAG,
      named: 'tag',
    },
    {
      name: 'the tag pointing to a digest that is not there',
      damage: ({ tag }) => writeFileSync(tag('1'), NO_SUCH_DIGEST),
      expected: NO_TAG,
      named: 'tag',
    },
    { name: 'the tag pointing nowhere', damage: ({ tag }) => writeFileSync(tag('1'), ''), expected: FAILS },
    {
      name: "the index's manifest for the platform removed",
      damage: ({ content }, { digest }) => rmSync(content(digest)),
      isIndex: true,
      expected: DAMAGED,
      named: 'manifest',
    },
    {
      name: "the revision link of the index's manifest removed",
      damage: ({ revision }, { digest }) => rmSync(revision(digest)),
      isIndex: true,
      expected: DAMAGED,
      named: 'manifest',
    },
    {
      name: "the index's manifest altered",
      damage: ({ content }, { digest }) => reorderManifest(content(digest)),
      isIndex: true,
      expected: DAMAGED,
      named: 'manifest',
    },
    {
      name: "the index's manifest for another platform removed",
      damage: ({ content }, _image, { digest }) => rmSync(content(digest)),
      isIndex: true,
      expected: WHOLE,
    },
    {
      name: 'the config removed',
      damage: ({ content }, { config }) => rmSync(content(config.digest)),
      expected: DAMAGED,
      named: 'config',
    },
    {
      name: 'the config altered',
      damage: ({ content }, { config }) => flipBit(content(config.digest)),
      expected: DAMAGED,
      named: 'config',
    },
    {
      name: 'the config truncated to nothing',
      damage: ({ content }, { config }) => truncateSync(content(config.digest), 0),
      expected: DAMAGED,
      named: 'config',
    },
    {
      name: "the config's link removed, though the blob is there",
      damage: ({ blobLink }, { config }) => rmSync(blobLink(config.digest)),
      expected: DAMAGED,
      named: 'config',
    },
    {
      name: 'a layer removed',
      damage: ({ content }, image) => rmSync(content(layerOf(image))),
      expected: DAMAGED,
      named: 'layer',
    },
    {
      name: 'a layer truncated',
      damage: ({ content }, image) => truncateSync(content(layerOf(image)), 50),
      expected: DAMAGED,
      named: 'layer',
    },
    {
      name: 'a layer truncated to nothing',
      damage: ({ content }, image) => truncateSync(content(layerOf(image)), 0),
      expected: DAMAGED,
      named: 'layer',
    },
    {
      name: 'a layer extended',
      damage: ({ content }, image) => appendFileSync(content(layerOf(image)), 'more'),
      expected: DAMAGED,
      named: 'layer',
    },
    {
      // no header tells
      name: 'a layer altered, as long as it was',
      damage: ({ content }, image) => flipBit(content(layerOf(image))),
      expected: WHOLE,
      content: DAMAGED,
      named: 'layer',
    },
    {
      name: "a layer's link removed, though the blob is there",
      damage: ({ blobLink }, image) => rmSync(blobLink(layerOf(image))),
      expected: DAMAGED,
      named: 'layer',
    },
  ];

  const images: StoredImage[] = [];
  const results = new Map<string, readonly Result[]>();
  before(async () => {
    const host = named(plain);
    const store = createImageStore();
    const names: string[] = [];
    for (const [at, row] of rows.entries()) {
      const name = `damaged/${at}`;
      const { image, sibling } = addTo(store, name, row.isIndex === true);
      // one after the other: there are two cores, and the registry is not what is tried
      // oxlint-disable-next-line no-await-in-loop
      await plain.push(store, name, '1');
      row.damage(storedFiles(plain, name), image, sibling);
      images.push(image);
      names.push(`${host}/${name}${row.byDigest === true ? `@${image.digest}` : ':1'}`);
    }
    const hosts = withHosts('damaged', host, `server = "http://${host}"\n`);
    const settings = {
      containerd: hosts,
      content: [...hosts, '--verify', 'content'],
      docker: withDaemon('damaged-daemon.json', { 'insecure-registries': [host] }),
      crio: withRegistriesConf('damaged-registries.conf', host),
    };
    for (const [name, flags] of Object.entries(settings)) {
      // oxlint-disable-next-line no-await-in-loop -- on two cores nothing is won
      results.set(name, await judge(names, flags));
    }
  });

  for (const [at, row] of rows.entries()) {
    it(`${row.name}: ${row.expected}`, () => {
      const expected = {
        containerd: row.expected,
        content: row.content ?? row.expected,
        docker: row.docker ?? row.expected,
        crio: row.crio ?? row.expected,
      };
      const found = [...results].flatMap(([name, all]) =>
        all.slice(at, at + 1).map((result) => [name, result] as const),
      );

      assert.deepEqual(Object.fromEntries(found.map(([name, result]) => [name, inShort(result)])), expected);
      for (const [name, { message, outcome, depth }] of found) {
        if (outcome === 'pullable') assert.equal(depth, name === 'content' ? 'content' : 'graph');
        else if (row.named === 'tag') assert.match(message, /: tag "1" does not exist in the registry \(/u);
        else if (row.named !== undefined) assertNames(message, row.named, images[at]);
      }
    });
  }
});

/** The part by its name and the beginning of its digest, and the request that met it by all of it. */
function assertNames(message: string, part: 'manifest' | 'config' | 'layer', image: StoredImage | undefined): void {
  assert.ok(image !== undefined);
  const digest = { manifest: image.digest, config: image.config.digest, layer: layerOf(image) }[part];
  const name = message.includes(': digest ') ? 'digest' : part;
  assert.ok(message.includes(`${name} ${digest.slice(0, 'sha256:'.length + 12)} `), message);
  assert.match(
    message,
    new RegExp(`(?:GET|HEAD) http://\\S+/${part === 'manifest' ? 'manifests' : 'blobs'}/${digest} answered`, 'u'),
  );
}

function layerOf({ layers: [layer] }: StoredImage): StoredImage['digest'] {
  assert.ok(layer !== undefined);
  return layer.digest;
}

/** An image and one for arm64, each with a config and a layer that no other has; tagged `1` is the first, or an index of both. */
function addTo(store: ImageStore, name: string, isIndex: boolean): { image: StoredImage; sibling: StoredImage } {
  const repository = store.repository(name);
  const image = repository.addImage({ tags: ['1'] });
  const sibling = repository.addImage({ platform: { os: 'linux', architecture: 'arm64' } });
  if (isIndex) repository.addIndex([image, sibling], { tags: ['1'] });
  return { image, sibling };
}

describe("Debian's docker-registry without TLS", SKIPPED, () => {
  let host = '';
  before(() => {
    host = named(plain);
  });

  const declared = (): readonly string[] => withHosts('plain', host, `server = "http://${host}"\n`);
  const nowhere = (): readonly string[] => withHosts('elsewhere', 'other.test', 'server = "https://other.test"\n');
  const settings: readonly (readonly [name: string, flags: () => readonly string[], expected: string])[] = [
    ['declared to containerd', declared, 'pullable allow'],
    ['declared to CRI-O', () => withRegistriesConf('plain.conf', host), 'pullable allow'],
    ['declared to dockerd', () => withDaemon('plain.json', { 'insecure-registries': [host] }), 'pullable allow'],
    ['undeclared to containerd', nowhere, 'http-not-declared deny'],
    ['undeclared to CRI-O', () => ['--runtime', 'crio@1.34'], 'http-not-declared deny'],
    ['perhaps declared', () => [...nowhere(), '--nodes', 'partial'], 'http-not-declared warn, not proven'],
  ];
  for (const [name, flags, expected] of settings) {
    it(`${name}: ${expected}`, async () => {
      const [result] = await judge([`${host}/team/app:1`], flags());

      assert.ok(result !== undefined);
      assert.equal(inShort(result), expected);
      if (result.outcome !== 'pullable') assert.ok(result.message.includes(host), result.message);
    });
  }

  it('says what is missing: a tag, a repository, a digest', async () => {
    const asked = ['team/app:v1', 'team/none:1', `team/app@${NO_SUCH_DIGEST}`].map((name) => `${host}/${name}`);

    const results = await judge(asked, declared());
    const hinted = await judge(asked, [...declared(), '--similar-tags']);
    const hidden = await judge(asked, [...declared(), '--credential-providers', 'possible']);

    // to manifests of a repository that is not there the registry says MANIFEST_UNKNOWN too
    const expected = ['tag-not-found deny', 'tag-not-found deny', 'digest-not-found deny'];
    assert.deepEqual(results.map(inShort), expected);
    assert.deepEqual(hinted.map(inShort), expected);
    assert.match(hinted[0]?.message ?? '', /tag "v1" does not exist .* \(it has 1\)$/u);
    // only who can read the repository knows that a 404 means what it says
    assert.deepEqual(hidden.map(inShort), [
      'tag-not-found deny',
      'tag-not-found warn, not proven',
      'digest-not-found deny',
    ]);
  });
});

describe("Debian's docker-registry with htpasswd", SKIPPED, () => {
  let host = '';
  let hosts: readonly string[] = [];
  before(() => {
    host = named(locked);
    hosts = withHosts('private', host, `server = "http://${host}"\n`);
  });

  /** What a namespace holds, and what is asked there. */
  type Case = {
    readonly name: string;
    /** Passwords by the Secret's name, each under the registry's own key unless it is said otherwise. */
    readonly secrets?: Readonly<Record<string, string>>;
    readonly key?: string;
    /** Whether the ServiceAccount names the Secrets, and not the Pod. */
    readonly isByAccount?: true;
    readonly image?: string;
    readonly expected: string;
    /** What the message must say. */
    readonly says?: RegExp;
  };
  const REJECTED = /rejected the login of pull secret "pull" \(entry "reg\.test:\d+"\)/u;
  const cases: readonly Case[] = [
    { name: 'no login', expected: 'access-denied deny', says: /without credentials/u },
    { name: 'the right login in a Secret', secrets: { pull: LOGIN.password }, expected: 'pullable allow' },
    {
      name: 'the right login in the Secret of a ServiceAccount',
      secrets: { pull: LOGIN.password },
      isByAccount: true,
      expected: 'pullable allow',
    },
    { name: 'a wrong password', secrets: { pull: 'wrong' }, expected: 'access-denied deny', says: REJECTED },
    {
      name: 'a wrong password in the Secret of a ServiceAccount',
      secrets: { pull: 'wrong' },
      isByAccount: true,
      expected: 'access-denied deny',
      says: REJECTED,
    },
    { name: 'no password', secrets: { pull: '' }, expected: 'access-denied deny', says: REJECTED },
    {
      name: 'the right login under the key of another port',
      secrets: { pull: LOGIN.password },
      key: 'reg.test:1',
      expected: 'access-denied deny',
      says: /without credentials/u,
    },
    {
      name: 'a wrong login before the right one',
      secrets: { old: 'wrong', pull: LOGIN.password },
      expected: 'pullable allow',
    },
    {
      name: 'the right login, and no such tag',
      secrets: { pull: LOGIN.password },
      image: 'team/app:2',
      expected: 'tag-not-found deny',
      says: /tag "2" does not exist/u,
    },
    { name: 'no login, and no such repository', image: 'team/none:1', expected: 'access-denied deny' },
  ];
  const objectsOf = ({ secrets = {}, key = host, isByAccount, image = 'team/app:1' }: Case, at: number): object[] => {
    const namespace = `case-${at}`;
    const named = { imagePullSecrets: Object.keys(secrets).map((name) => ({ name })) };
    const spec = {
      ...(isByAccount === true ? {} : named),
      containers: [{ name: 'app', image: `${host}/${image}` }],
    };
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace }, ...named };
    return [
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app', namespace }, spec },
      ...(isByAccount === true ? [account] : []),
      ...Object.entries(secrets).map(([name, password]) => {
        const logins = JSON.stringify({ auths: { [key]: { username: LOGIN.username, password } } });
        const metadata = { name, namespace };
        const type = 'kubernetes.io/dockerconfigjson';
        return { apiVersion: 'v1', kind: 'Secret', metadata, type, stringData: { '.dockerconfigjson': logins } };
      }),
    ];
  };
  const runtimes: readonly (readonly [runtime: string, flags: () => readonly string[]])[] = [
    ['containerd', () => hosts],
    ['dockerd', () => withDaemon('private.json', { 'insecure-registries': [host] })],
    ['CRI-O', () => withRegistriesConf('private.conf', host)],
  ];
  for (const [runtime, flags] of runtimes) {
    it(`takes the right login and no other, of ${runtime}`, async () => {
      const objects = cases.flatMap(objectsOf).map((one) => JSON.stringify(one));
      const file = write('logins.yaml', objects.join('\n---\n'));

      const results = await judge([], [...flags(), '-f', file]);

      assert.deepEqual(
        results.map((result, at) => `${cases[at]?.name}: ${inShort(result)}`),
        cases.map(({ name, expected }) => `${name}: ${expected}`),
      );
      for (const [at, { message }] of results.entries()) {
        assert.ok(message.includes(host), message);
        assert.match(message, cases[at]?.says ?? /^container "app", image /u);
      }
    });
  }

  it('proves nothing against nodes that may hold logins of their own', async () => {
    const [result] = await judge([`${host}/team/app:1`], [...hosts, '--credential-providers', 'possible']);

    assert.ok(result !== undefined);
    assert.equal(inShort(result), 'access-denied warn, not proven');
  });
});

describe("Debian's docker-registry with TLS", SKIPPED, () => {
  const other = createAuthority('Another Root');
  let host = '';
  before(() => {
    host = named(secure);
  });

  const withAuthority = (name: string, { certificate }: { readonly certificate: string }): readonly string[] => {
    const path = write(`${name}.pem`, certificate);
    return withHosts(name, host, `server = "https://${host}"\nca = "${path}"\n`);
  };
  const withCertsD = (runtime: string, name: string, certificate: string): readonly string[] => {
    write(`${name}/${host}/ca.crt`, certificate);
    return ['--runtime', runtime, '--docker-certs-d', join(folder, name)];
  };
  const cases: readonly (readonly [name: string, flags: () => readonly string[], expected: string])[] = [
    ['its CA in hosts.toml', () => withAuthority('ca', authority), 'pullable allow'],
    [
      'its CA in certs.d',
      () => {
        write(`ca-only/${host}/ca.crt`, authority.certificate);
        return ['--certs-d', join(folder, 'ca-only')];
      },
      'pullable allow',
    ],
    ["its CA in CRI-O's certs.d", () => withCertsD('crio@1.34', 'crio-ca', authority.certificate), 'pullable allow'],
    [
      'no verification',
      () => withHosts('skip', host, `server = "https://${host}"\nskip_verify = true\n`),
      'pullable allow',
    ],
    ['no CA', () => [], 'tls-unknown-authority deny'],
    ['no CA for CRI-O', () => ['--runtime', 'crio@1.34'], 'tls-unknown-authority deny'],
    [
      "its CA in dockerd's certs.d",
      () => withCertsD('docker@28.5', 'docker-ca', authority.certificate),
      'pullable allow',
    ],
    ['perhaps a CA', () => ['--nodes', 'partial'], 'tls-unknown-authority warn, not proven'],
    ['the CA of another', () => withAuthority('other-ca', other), 'tls-unknown-authority deny'],
    ['plain HTTP', () => withHosts('http', host, `server = "http://${host}"\n`), 'https-expected-http deny'],
  ];
  for (const [name, flags, expected] of cases) {
    it(`and nodes with ${name}: ${expected}`, async () => {
      const [result] = await judge([`${host}/team/app:1`], flags());

      assert.ok(result !== undefined);
      assert.equal(inShort(result), expected);
      if (result.outcome !== 'pullable') assert.ok(result.message.includes(host), result.message);
    });
  }
});
