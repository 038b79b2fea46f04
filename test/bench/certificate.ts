import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issue } from '../../certs/authority.ts';

/** A serving certificate for 127.0.0.1 and what vouches for it, as PEM texts and as files of these. */
export type Certificate = {
  readonly tls: { readonly cert: string; readonly key: string };
  readonly authority: string;
  readonly files: { readonly cert: string; readonly key: string; readonly authority: string };
};

const DAY_MS = 86_400_000;

/** A certificate of the kind that Pullguard makes for itself, written to `folder` too. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const validity = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + 30 * DAY_MS) };
  const root = await createAuthority({ commonName: 'Pullguard bench', validity });
  const leaf = await issue(root, { validity, addresses: ['127.0.0.1'] });
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    tls: { cert: leaf.certificate, key: leaf.key },
    authority: root.certificate,
    files: {
      cert: file('tls.crt', leaf.certificate),
      key: file('tls.key', leaf.key),
      authority: file('ca.crt', root.certificate),
    },
  };
}
