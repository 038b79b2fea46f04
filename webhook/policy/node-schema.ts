import * as z from 'zod';
import {
  burstOf,
  inSeconds,
  nodeCount,
  registryBurst,
  registryPullQPS,
  stallLimit,
  throughput,
} from './pace-schema.ts';
import { PULL_VERIFICATIONS, type NodeDeclaration } from './policy.ts';
import {
  allowlistImage,
  certificates,
  configPath,
  daemonJson,
  dataKey,
  dropInName,
  hostOrCidr,
  matchImagesPattern,
  objectName,
  platformText,
  runtimeText,
  treePath,
} from './scalar.ts';

const files = z.record(treePath, z.string()).default({});

const platforms = z
  .union([
    z.array(platformText),
    z
      .strictObject({
        list: z.array(platformText).min(1, { error: 'is empty: list the platforms that the nodes have' }),
        exhaustive: z.boolean().default(false).meta({ description: 'No node has any other platform.' }),
      })
      .meta({ description: 'With exhaustive: true an image that lacks a listed platform is provably not pullable.' }),
  ])
  .default([])
  .transform((written) =>
    'list' in written
      ? { list: written.list, isExhaustive: written.exhaustive }
      : { list: written, isExhaustive: false },
  );

/** The `nodes` part: what the nodes are declared to be. Names and texts are those of the nodes' own files. */
export const nodesSchema = z
  .strictObject({
    runtime: z
      .union([runtimeText, z.array(runtimeText).min(1, { error: 'is empty: name a runtime, or leave it out' })])
      .default(['containerd'])
      .meta({ description: 'The runtimes in use; where their variants disagree, an outcome is not proof.' }),
    settings: z
      .enum(['partial', 'complete'])
      .default('partial')
      .meta({ description: 'complete: the files and certificates given here are all that the nodes have.' }),
    platforms,
    credentialProviders: z
      .union([z.enum(['possible', 'none']), z.array(matchImagesPattern)])
      .default('possible')
      .meta({ description: 'Where kubelet credential providers may exist: anywhere, nowhere, or for these hosts.' }),
    kubelet: z
      .strictObject({
        imagePullCredentialsVerificationPolicy: z.enum(PULL_VERIFICATIONS).optional().meta({
          description:
            'When a kubelet asks the registry again for an image that its node holds; the default hangs on its version.',
        }),
        preloadedImagesVerificationAllowlist: z
          .array(allowlistImage)
          .default([])
          .meta({ description: 'Images that are never asked for again, with NeverVerifyAllowlistedImages.' }),
        registryPullQPS,
        registryBurst,
      })
      .prefault({})
      .meta({ description: "As in the kubelet's configuration." }),
    containerd: z
      .strictObject({
        configPath: configPath.optional().meta({
          description: 'config_path of the registry settings; /etc/containerd/certs.d unless set.',
        }),
        certsD: files.meta({ description: 'Files of /etc/containerd/certs.d by relative path.' }),
        certsDFrom: z.strictObject({ configMap: objectName }).optional().meta({
          description:
            "A ConfigMap of Pullguard's own namespace with more of them: registry.example_5000___hosts.toml.",
        }),
        clientCertificates: z
          .array(
            z.strictObject({
              path: z.string().min(1).meta({ description: 'The file as hosts.toml names it.' }),
              secret: objectName,
              key: dataKey,
            }),
          )
          .default([])
          .meta({ description: "Client certificates that hosts.toml names, in Secrets of Pullguard's own namespace." }),
        imagePullProgressTimeout: stallLimit.meta({ description: 'As in config.toml of the nodes; 5m unless set.' }),
      })
      .prefault({})
      .meta({ description: 'The files of containerd on the nodes.' }),
    docker: z
      .strictObject({
        daemonJson: daemonJson.optional(),
        certsD: files.meta({ description: 'Files of /etc/docker/certs.d by relative path.' }),
        imagePullProgressDeadline: stallLimit.meta({ description: "cri-dockerd's flag of that name; 1m unless set." }),
      })
      .prefault({})
      .meta({ description: 'The files of dockerd on the nodes.' }),
    crio: z
      .strictObject({
        registriesConf: z.string().optional().meta({ description: 'The text of registries.conf.' }),
        registriesConfD: z.record(dropInName, z.string()).default({}).meta({
          description: 'Files of /etc/containers/registries.conf.d by name, read in the order of their names.',
        }),
        certsD: files.meta({ description: 'Files of /etc/containers/certs.d by relative path.' }),
        policyJson: z
          .string()
          .optional()
          .meta({ description: 'The text of policy.json: what it rejects is refused, signatures are not verified.' }),
        namespacePolicies: z.record(objectName, z.string()).default({}).meta({
          description: "By namespace the text of its file in crio.conf's signature_policy_dir, in place of policyJson.",
        }),
        shortNameMode: z.enum(['enforcing', 'disabled']).optional().meta({
          description:
            'short_name_mode of crio.conf. Unless set, a short name that several registries may have is no proof.',
        }),
        pullProgressTimeout: stallLimit.meta({ description: 'As in crio.conf of the nodes; none unless set.' }),
      })
      .prefault({})
      .meta({ description: 'The files of CRI-O on the nodes.' }),
    insecureRegistries: z
      .array(hostOrCidr)
      .default([])
      .meta({ description: 'Registries that every node asks over plain HTTP or unverified TLS.' }),
    certificateAuthorities: z
      .array(certificates)
      .default([])
      .meta({ description: 'PEM texts of authorities that every node trusts for every registry.' }),
    throughput,
    count: nodeCount,
    serializeImagePulls: z
      .boolean()
      .optional()
      .meta({ description: "As in the kubelet's configuration; a Pod's own images come one by one in any case." }),
    maxParallelImagePulls: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: "As in the kubelet's configuration." }),
  })
  .superRefine((nodes, context) => {
    if (nodes.serializeImagePulls === true && (nodes.maxParallelImagePulls ?? 1) > 1) {
      context.addIssue({
        code: 'custom',
        path: ['maxParallelImagePulls'],
        message: 'is above 1 while serializeImagePulls is true: the kubelet refuses to start with both',
      });
    }
  })
  .transform(({ runtime, serializeImagePulls, maxParallelImagePulls, ...nodes }): NodeDeclaration => {
    const { registryPullQPS: perSecond, registryBurst: burst, ...kubelet } = nodes.kubelet;
    const { imagePullProgressTimeout, ...containerd } = nodes.containerd;
    const { imagePullProgressDeadline, ...docker } = nodes.docker;
    const { pullProgressTimeout, ...crio } = nodes.crio;
    return {
      ...nodes,
      runtimes: typeof runtime === 'string' ? [runtime] : runtime,
      kubelet: {
        ...kubelet,
        imagePullCredentialsVerificationPolicy: kubelet.imagePullCredentialsVerificationPolicy,
      },
      containerd: { ...containerd, configPath: containerd.configPath, certsDFrom: containerd.certsDFrom },
      docker: { ...docker, daemonJson: docker.daemonJson },
      crio: {
        ...crio,
        registriesConf: crio.registriesConf,
        policyJson: crio.policyJson,
        shortNameMode: crio.shortNameMode,
      },
      count: nodes.count,
      parallelImagePulls: parallelPulls(serializeImagePulls, maxParallelImagePulls),
      registryBurst: burstOf(perSecond, burst),
      stallSeconds: {
        containerd: inSeconds(imagePullProgressTimeout),
        docker: inSeconds(imagePullProgressDeadline),
        crio: inSeconds(pullProgressTimeout),
      },
    };
  });

/** The kubelet's own defaulting: pulls are serial unless switched off or a number above 1 is given. */
function parallelPulls(serialize: boolean | undefined, max: number | undefined): number {
  const isSerial = serialize ?? (max === undefined || max < 2);
  return isSerial ? 1 : (max ?? Number.POSITIVE_INFINITY);
}
