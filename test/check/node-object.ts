import type { ApiObject } from '../kube/fake-api.ts';

export type NodeOptions = {
  /** Names of images that it lists. */
  readonly images?: readonly string[];
  readonly architecture?: string;
  readonly runtime?: string;
  readonly kubelet?: string;
  readonly isCordoned?: boolean;
};

/** A list of images that proves nothing of the rest. */
export const FULL_LIST: readonly string[] = Array.from({ length: 50 }, (_, at) => `docker.io/library/other:${at}`);

/** A Node as the API has it. */
export function nodeObject(name: string, options: NodeOptions = {}): ApiObject {
  const { images = [], architecture = 'amd64', runtime = 'containerd://2.1.9', kubelet = 'v1.34.0' } = options;
  return {
    metadata: { name },
    spec: { unschedulable: options.isCordoned === true },
    status: {
      nodeInfo: { operatingSystem: 'linux', architecture, containerRuntimeVersion: runtime, kubeletVersion: kubelet },
      images: images.map((image) => ({ names: [image], sizeBytes: 1 })),
    },
  };
}
