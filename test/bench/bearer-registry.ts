import type { Bend } from '../../webhook/demo/registry.ts';
import { startTokenService } from '../support/token-service.ts';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry, type CountingRegistry } from './counting-registry.ts';
import { openGate } from './gate.ts';
import { createPace, type Pace } from './pace.ts';

/** What the token service was asked, since the last `reset`. */
export type Counted = Omit<Pace, 'bend'> & {
  readonly requests: () => readonly string[];
  readonly opened: () => number;
};

/** A registry that wants a token, and the service that gives it to anybody. */
export async function startBearerRegistry(
  certificate: Certificate,
): Promise<CountingRegistry & { readonly service: Counted }> {
  const { bend, ...pace } = createPace();
  const tokens = await startTokenService({ tls: certificate.tls, bends: [bend] });
  const gate = await openGate(tokens.port);
  // the realm that the registry names is the gate's, where connections are counted
  const bearer: Bend = async (question, answer) => {
    const bent = await tokens.bearerAuth(question, answer);
    const challenge = bent.headers['www-authenticate'];
    if (typeof challenge !== 'string') return bent;
    const moved = challenge.replace(tokens.origin, `https://${gate.host}`);
    return { ...bent, headers: { ...bent.headers, 'www-authenticate': moved } };
  };
  const registry = await startCountingRegistry(certificate.tls, bearer);
  return {
    ...registry,
    slowDown: (delayMs) => {
      registry.slowDown(delayMs);
      pace.slowDown(delayMs);
    },
    service: {
      ...pace,
      requests: () => tokens.log.lines(),
      opened: gate.opened,
      reset: () => {
        tokens.log.clear();
        gate.reset();
        pace.reset();
      },
    },
    close: async () => {
      await Promise.all([registry.close(), gate.close(), tokens.close()]);
    },
  };
}
