import type { V1ValidatingWebhook } from '@kubernetes/client-node';
import type { KubeApi } from '../webhook/kube/api.ts';
import { splitPem } from './material.ts';

/** The `caBundle` of one ValidatingWebhookConfiguration. */
export interface CaBundle {
  /**
   * Makes every webhook of the configuration that calls our Service trust exactly `bundle`. `absent`: there is no
   * such webhook. Rejects with what the API throws, a conflict included: the next check sees what is there then.
   */
  ensure(bundle: string): Promise<'in-place' | 'patched' | 'absent'>;
}

const TIMEOUT_MS = 5_000;

export function createCaBundle(
  api: KubeApi,
  target: { readonly configuration: string; readonly service: string; readonly namespace: string },
): CaBundle {
  const admission = api.admission(TIMEOUT_MS);
  const isOurs = ({ clientConfig: { service } }: V1ValidatingWebhook): boolean =>
    service?.name === target.service && service.namespace === target.namespace;
  return {
    async ensure(bundle) {
      const name = target.configuration;
      const { metadata, webhooks = [] } = await admission.readValidatingWebhookConfiguration({ name });
      if (!webhooks.some(isOurs)) return 'absent';
      const stale = webhooks.flatMap((webhook, index) =>
        isOurs(webhook) && !isSameBundle(webhook.clientConfig.caBundle, bundle) ? [index] : [],
      );
      if (stale.length === 0) return 'in-place';
      const value = Buffer.from(bundle).toString('base64');
      await admission.patchValidatingWebhookConfiguration({
        name,
        // the positions hold only for the version that was read
        body: [
          { op: 'test', path: '/metadata/resourceVersion', value: metadata?.resourceVersion },
          ...stale.map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value })),
        ],
      });
      return 'patched';
    },
  };
}

/** By certificates: order and white space mean nothing. */
function isSameBundle(inPlace: string | undefined, wanted: string): boolean {
  const present = splitPem(Buffer.from(inPlace ?? '', 'base64').toString('utf8'));
  const needed = splitPem(wanted);
  return present.length === needed.length && needed.every((pem) => present.includes(pem));
}
