import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { createImageStore, sha256 } from '../../webhook/demo/image-store.ts';
import { parseDigest, type Digest } from '../../webhook/image/digest.ts';
import { LOGIN, skipReason, startDockerRegistry, type DockerRegistryOptions } from './docker-registry.ts';
import { createAuthority } from './pki.ts';

type Headers = Readonly<Record<string, string>>;

const basic = (user: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const digest = (text: string): Digest => {
  const parsed = parseDigest(text);
  assert.ok(parsed.ok);
  return parsed.value;
};

describe("Debian's docker-registry", { skip: skipReason() }, () => {
  const root = createAuthority();
  const { certificate, key } = root.issue({ addresses: ['127.0.0.1'] });
  const cases: readonly (readonly [name: string, options: DockerRegistryOptions, anonymous: number])[] = [
    ['open', {}, 200],
    ['private', { isPrivate: true }, 401],
    ['with TLS', { tls: { certificate, key, authority: root.certificate } }, 200],
  ];
  for (const [name, options, anonymous] of cases) {
    it(`serves what was pushed, and what was damaged on its disk (${name})`, async (t) => {
      const store = createImageStore();
      const repository = store.repository('team/app');
      const image = repository.addImage();
      repository.addIndex([image], { tags: ['1'] });
      const registry = await startDockerRegistry(options);
      t.after(registry.close);
      const dispatcher = new Agent({ connect: { ca: root.certificate } });
      t.after(async () => await dispatcher.close());
      const ask = async (path: string, headers: Headers) => {
        const response = await request(`${registry.origin}/v2/team/app/${path}`, { dispatcher, headers });
        return {
          status: response.statusCode,
          type: response.headers['content-type'],
          text: await response.body.text(),
        };
      };
      const accept = { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' };
      const login = basic(LOGIN.username, LOGIN.password);

      await registry.push(store, 'team/app', '1');

      const index = await ask('manifests/1', { ...accept, ...login });
      assert.deepEqual([index.status, index.type], [200, 'application/vnd.oci.image.index.v1+json']);
      assert.equal(sha256(Buffer.from(index.text)), store.findManifest('team/app', '1')?.digest);
      assert.equal((await ask('manifests/1', accept)).status, anonymous);
      assert.equal((await ask(`manifests/${image.digest}`, { ...accept, ...login })).status, 200);
      const file = registry.contentPath(digest(image.config.digest));
      assert.equal(sha256(await readFile(file)), image.config.digest);
      await rm(file);
      assert.equal((await ask(`blobs/${image.config.digest}`, login)).status, 404);
    });
  }
});
