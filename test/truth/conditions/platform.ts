import type { Repository, Stored, StoredPlatform } from '../../../webhook/demo/image-store.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { withHeaders } from '../../support/bend.ts';
import { addAttestation } from '../../support/odd-image.ts';
import type { Asked, Condition } from '../condition.ts';
import { insecureRegistry, type Stage } from '../stage.ts';

const holding =
  (fill: (app: Repository) => void, platform?: string) =>
  async (stage: Stage): Promise<Asked> => {
    const { app, image, files } = await insecureRegistry(stage);
    fill(app);
    return { image, files, ...(platform === undefined ? {} : { platform }) };
  };

function platformOf(text: string): StoredPlatform {
  const [os = '', architecture = '', variant] = text.split('/');
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** An index with one image for each platform. */
const offering =
  (...texts: readonly string[]) =>
  (app: Repository): void => {
    app.addIndex(
      texts.map((text) => app.addImage({ platform: platformOf(text) })),
      { tags: ['1'] },
    );
  };

const without =
  (platform: StoredPlatform) =>
  (app: Repository): void => {
    const { platform: _, ...entry } = app.addImage({ platform });
    app.addIndex([entry], { tags: ['1'] });
  };

/** An index as given, whatever it holds. */
function addEntries(app: Repository, manifests: readonly object[]): Stored {
  return app.addManifest({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX, ['1']);
}

const amd64 = { os: 'linux', architecture: 'amd64' } as const;

export const PLATFORMS: readonly Condition[] = [
  { name: 'an index with the platform', pulls: true, arrange: holding(offering('linux/arm64', 'linux/amd64')) },
  { name: 'an index without it', pulls: false, arrange: holding(offering('linux/arm64', 'linux/ppc64le')) },
  { name: 'an index of 386 alone on amd64', pulls: false, arrange: holding(offering('linux/386')) },
  { name: 'an index of amd64/v2 alone', pulls: false, arrange: holding(offering('linux/amd64/v2')) },
  { name: 'an index of amd64/v3 alone', pulls: false, arrange: holding(offering('linux/amd64/v3')) },
  {
    name: 'an index of x86_64, as the platform is also called',
    pulls: false,
    docker: { pulls: true },
    arrange: holding(offering('linux/x86_64')),
  },
  {
    name: 'an index of amd64/v1, as the platform is also called',
    pulls: false,
    docker: { pulls: true },
    arrange: holding(offering('linux/amd64/v1')),
  },
  { name: 'an index of another system', pulls: false, arrange: holding(offering('windows/amd64')) },
  { name: 'an empty index', pulls: false, arrange: holding(offering()) },
  {
    name: 'an index of an attestation alone',
    pulls: false,
    arrange: holding((app) => void app.addIndex([addAttestation(app)], { tags: ['1'] })),
  },
  {
    name: 'an attestation beside the platform',
    pulls: true,
    arrange: holding((app) => void app.addIndex([addAttestation(app), app.addImage()], { tags: ['1'] })),
  },
  {
    name: 'an entry without platform that fits',
    pulls: true,
    docker: { pulls: false },
    arrange: holding(without(amd64)),
  },
  {
    name: 'an entry without platform that does not',
    pulls: true,
    docker: { pulls: false },
    arrange: holding(without(platformOf('linux/arm64'))),
  },
  {
    name: 'an entry without operating system',
    pulls: false,
    docker: { pulls: true },
    arrange: holding((app) => {
      addEntries(app, [{ ...app.addImage(), platform: { architecture: 'amd64' } }]);
    }),
  },
  {
    name: 'an entry without platform in a docker list',
    pulls: false,
    arrange: holding((app) => {
      const { platform: _, ...entry } = app.addImage({ format: 'docker' });
      app.addIndex([entry], { format: 'docker', tags: ['1'] });
    }),
  },
  {
    name: 'an index in an index',
    pulls: false,
    arrange: holding((app) => {
      const inner = app.addIndex([app.addImage()]);
      addEntries(app, [{ ...inner, platform: amd64 }]);
    }),
  },
  {
    name: 'a docker manifest list',
    pulls: true,
    arrange: holding((app) => {
      app.addIndex([app.addImage({ format: 'docker' })], { format: 'docker', tags: ['1'] });
    }),
  },
  {
    name: 'a child that is gone',
    pulls: false,
    arrange: async (stage) => {
      const { registry, app, image, files } = await insecureRegistry(stage);
      const child = app.addImage();
      app.addIndex([child], { tags: ['1'] });
      registry.store.damage(child.digest, 'removed');
      return { image, files };
    },
  },
  {
    name: 'a child of another type than the index says',
    pulls: false,
    arrange: async (stage) => {
      const { registry, app, image, files } = await insecureRegistry(stage);
      const child = app.addImage();
      app.addIndex([child], { tags: ['1'] });
      registry.bend({ kind: 'manifest', reference: child.digest }, withHeaders({ 'content-type': 'application/json' }));
      return { image, files };
    },
  },
  {
    name: 'a child of docker that the index calls OCI',
    pulls: true,
    arrange: holding((app) => {
      const child = app.addImage({ format: 'docker' });
      addEntries(app, [{ ...child, mediaType: OCI_MANIFEST, platform: amd64 }]);
    }),
  },
  {
    name: 'a child that the index calls nothing we know',
    pulls: true,
    arrange: holding((app) => {
      addEntries(app, [{ ...app.addImage(), mediaType: 'application/x', platform: amd64 }]);
    }),
  },
  {
    name: 'a child that the index gives no type',
    pulls: true,
    arrange: holding((app) => void addEntries(app, [{ ...app.addImage(), mediaType: '', platform: amd64 }])),
  },
  {
    name: 'a child of the declared size too large',
    pulls: true,
    arrange: holding((app) => {
      const child = app.addImage();
      app.addIndex([{ ...child, size: child.size + 10 }], { tags: ['1'] });
    }),
  },
  {
    name: 'an entry that lies about its platform',
    pulls: true,
    arrange: holding((app) => {
      const child = app.addImage({ platform: platformOf('linux/arm64') });
      app.addIndex([{ ...child, platform: amd64 }], { tags: ['1'] });
    }),
  },
  {
    name: 'a single image of another architecture',
    pulls: true,
    arrange: holding((app) => void app.addImage({ platform: platformOf('linux/arm64'), tags: ['1'] })),
  },
  {
    name: 'a single image of another system',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void app.addImage({ platform: platformOf('windows/amd64'), tags: ['1'] })),
  },
  { name: 'arm/v6 for a node of arm/v7', pulls: true, arrange: holding(offering('linux/arm/v6'), 'linux/arm/v7') },
  {
    name: 'arm/v7 for a node of arm/v6',
    pulls: false,
    docker: { pulls: true },
    arrange: holding(offering('linux/arm/v7'), 'linux/arm/v6'),
  },
  {
    name: 'arm without variant for a node of arm/v7',
    pulls: true,
    arrange: holding(offering('linux/arm'), 'linux/arm/v7'),
  },
  { name: 'arm/v7 for a node of arm64', pulls: false, arrange: holding(offering('linux/arm/v7'), 'linux/arm64') },
  {
    name: 'arm64 without variant for a node of arm64',
    pulls: true,
    arrange: holding(offering('linux/arm64'), 'linux/arm64'),
  },
  { name: 'arm64/v8 for a node of arm64', pulls: true, arrange: holding(offering('linux/arm64/v8'), 'linux/arm64') },
];
