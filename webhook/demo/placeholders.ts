/** What only a running demo knows: ports, and the certificate of the registries' authority (PEM). */
export type Known = { readonly ports: ReadonlyMap<string, number>; readonly authority: string };

const HOST = /(?<name>[a-z]+\.test):PORT\b/gu;
const AUTHORITY = /^(?<indent> *)CA CERTIFICATE$/gmu;

/** Fills in a text of the demo: `plain.test:PORT`, and `CA CERTIFICATE` on a line of its own. Throws for an unknown name. */
export function fillIn(text: string, { ports, authority }: Known): string {
  return text
    .replace(HOST, (_all, name: string) => {
      const port = ports.get(name);
      if (port === undefined) throw new Error(`no registry of the demo is called ${name}`);
      return `${name}:${port}`;
    })
    .replace(AUTHORITY, (_all, indent: string) =>
      authority
        .trim()
        .split('\n')
        .map((line) => `${indent}${line}`)
        .join('\n'),
    );
}
