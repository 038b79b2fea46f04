import { err, ok, type Result } from '../../image/result.ts';
import { quote } from '../../outcome/printable.ts';
import type { SettingsProblem } from '../endpoint.ts';
import { parseJson } from '../mistakes/json.ts';
import { lineOf } from '../mistakes/line.ts';
import { mistake, toProblem, type Mistake } from '../mistakes/mistake.ts';
import { isTable, valueOf, type Table } from '../mistakes/shape.ts';

/** What a list of requirements asks of an image: all of them must be met. */
export type SignatureDemand =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'rejected' }
  /** `type` is that of the first requirement that wants a signature: `signedBy`, `sigstoreSigned`. */
  | { readonly kind: 'signed'; readonly type: string };

/** The part of a policy.json that is about registries (containers-policy.json(5)). */
export type SignaturePolicy = {
  readonly file: string;
  readonly fallback: SignatureDemand;
  /** By scope of the transport `docker`; `''` is what holds for the rest of that transport. */
  readonly scopes: ReadonlyMap<string, SignatureDemand>;
  /** Where a scope rejects, or the default for `undefined`. */
  readonly lineOfReject: (scope: string | undefined) => number | undefined;
};

const CONSEQUENCE = 'CRI-O refuses every pull with it';
const SIGNED: readonly string[] = ['signedBy', 'sigstoreSigned', 'signedBaseLayer'];

/**
 * Reads a policy.json with the strictness of containers/image: an unknown key spoils the whole file. What a `signedBy`
 * or `sigstoreSigned` says of keys and identities is not read, as signatures are not verified here.
 */
export function parseSignaturePolicy(file: {
  readonly name: string;
  readonly text: string;
}): Result<SignaturePolicy, SettingsProblem> {
  const document = parseJson(file.text);
  if (!document.ok) {
    const { line, expected } = document.error;
    return err({ file: file.name, line, reason: `${expected}; ${CONSEQUENCE}` });
  }
  const decoded = decodePolicy(document.value);
  if (!decoded.ok) return err(toProblem(decoded.error, file, CONSEQUENCE));
  const lineOfReject = (scope: string | undefined): number | undefined =>
    scope === undefined
      ? lineOf(file.text, '"default"', '"reject"')
      : lineOf(file.text, '"docker"', JSON.stringify(scope), '"reject"');
  return ok({ ...decoded.value, file: file.name, lineOfReject });
}

type Demands = Pick<SignaturePolicy, 'fallback' | 'scopes'>;

function decodePolicy(document: unknown): Result<Demands, Mistake> {
  if (!isTable(document)) return err(mistake('expected policy.json to be a JSON object', ''));
  const unknown = Object.keys(document).find((key) => key !== 'default' && key !== 'transports');
  if (unknown !== undefined) {
    return err(mistake(`expected only "default" and "transports", not ${quote(unknown, 80)}`, unknown));
  }
  const fallback = decodeRequirements(valueOf(document, 'default'), 'default', ['default']);
  if (!fallback.ok) return fallback;
  const transports = Object.hasOwn(document, 'transports') ? document['transports'] : {};
  if (!isTable(transports)) return err(mistake('expected transports to be a JSON object', 'transports'));
  const scopes = new Map<string, SignatureDemand>();
  for (const [transport, entries] of Object.entries(transports)) {
    if (!isTable(entries)) {
      return err(mistake(`expected transport ${quote(transport, 40)} to be a JSON object`, 'transports', transport));
    }
    for (const [scope, requirements] of Object.entries(entries)) {
      const name = `scope ${quote(scope, 80)}`;
      const demand = decodeRequirements(requirements, name, ['transports', transport, `"${scope}"`]);
      if (!demand.ok) return demand;
      if (transport === 'docker') scopes.set(scope, demand.value);
    }
  }
  return ok({ fallback: fallback.value, scopes });
}

function decodeRequirements(value: unknown, name: string, at: readonly string[]): Result<SignatureDemand, Mistake> {
  if (!Array.isArray(value) || value.length === 0) {
    return err(mistake(`expected ${name} to be a list of at least one requirement`, ...at));
  }
  let demand: SignatureDemand = { kind: 'nothing' };
  for (const one of value as readonly unknown[]) {
    const type = isTable(one) ? requirementType(one) : undefined;
    if (type === undefined) {
      const known = ['insecureAcceptAnything', 'reject', ...SIGNED].join(', ');
      return err(mistake(`expected each requirement of ${name} to be an object whose type is one of ${known}`, ...at));
    }
    if (type === 'reject') demand = { kind: 'rejected' };
    else if (SIGNED.includes(type) && demand.kind === 'nothing') demand = { kind: 'signed', type };
  }
  return ok(demand);
}

/** The two simple types have no other key. */
function requirementType(requirement: Table): string | undefined {
  const type = valueOf(requirement, 'type');
  if (typeof type !== 'string') return undefined;
  if (SIGNED.includes(type)) return type;
  const isSimple = type === 'insecureAcceptAnything' || type === 'reject';
  return isSimple && Object.keys(requirement).length === 1 ? type : undefined;
}
