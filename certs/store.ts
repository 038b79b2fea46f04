import type { V1Secret } from '@kubernetes/client-node';
import type { KubeApi } from '../webhook/kube/api.ts';
import { isConflict, readApiFailure } from '../webhook/kube/failure.ts';
import { decodeMaterial, encodeMaterial, type Material } from './material.ts';

/** The Secret as it was read; handed back to {@link CertificateStore.replace}, which refuses to overwrite a newer one. */
export type StoredSecret = Pick<V1Secret, 'metadata' | 'type'>;

export type StoreRead =
  | { readonly kind: 'found'; readonly material: Material; readonly stored: StoredSecret }
  | { readonly kind: 'missing' }
  /** It is there, but cannot be served from. `reason` names its key that is at fault. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly stored: StoredSecret };

/** All replicas share one Secret; whoever writes first wins, and the others read. Rejects with what the API throws. */
export interface CertificateStore {
  read(): Promise<StoreRead>;
  /** `exists`: another replica was faster; read what it made. */
  create(material: Material): Promise<'created' | 'exists'>;
  /** `conflict`: another replica was faster; read what it made. */
  replace(material: Material, stored: StoredSecret): Promise<'replaced' | 'conflict'>;
}

const TIMEOUT_MS = 5_000;

export function createCertificateStore(api: KubeApi, namespace: string, name: string): CertificateStore {
  const core = api.core(TIMEOUT_MS);
  return {
    async read() {
      try {
        const { metadata, type, data = {} } = await core.readNamespacedSecret({ namespace, name });
        const stored: StoredSecret = { ...(metadata && { metadata }), ...(type !== undefined && { type }) };
        const texts = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]);
        const material = decodeMaterial(Object.fromEntries(texts));
        return material.ok
          ? { kind: 'found', material: material.value, stored }
          : { kind: 'unusable', reason: material.error, stored };
      } catch (error) {
        if (readApiFailure(error).kind === 'missing') return { kind: 'missing' };
        throw error;
      }
    },
    async create(material) {
      const metadata = { name, namespace, labels: { 'app.kubernetes.io/name': 'pullguard' } };
      try {
        const body = { metadata, type: 'kubernetes.io/tls', stringData: { ...encodeMaterial(material) } };
        await core.createNamespacedSecret({ namespace, body });
        return 'created';
      } catch (error) {
        if (isConflict(error)) return 'exists';
        throw error;
      }
    },
    async replace(material, stored) {
      // the resourceVersion in the metadata is the lock
      const body = { ...stored, stringData: { ...encodeMaterial(material) } };
      try {
        await core.replaceNamespacedSecret({ namespace, name, body });
        return 'replaced';
      } catch (error) {
        if (isConflict(error)) return 'conflict';
        throw error;
      }
    },
  };
}
