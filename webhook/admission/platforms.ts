import { formatPlatform, parsePlatform, type Platform } from '../image/platform.ts';
import type { PlatformChoice } from '../outcome/prediction.ts';
import { fieldAt, fieldOf, listOf, nameOf, textOf } from './field.ts';

/** What a Pod asks of a node's platform: the values that remain, `undefined` where any will do. */
type Demand = { readonly os: ReadonlySet<string> | undefined; readonly architecture: ReadonlySet<string> | undefined };

const OS_LABELS: readonly string[] = ['kubernetes.io/os', 'beta.kubernetes.io/os'];
const ARCHITECTURE_LABELS: readonly string[] = ['kubernetes.io/arch', 'beta.kubernetes.io/arch'];
const ANY: Demand = { os: undefined, architecture: undefined };

/** More platforms than there are is no choice but an attack. */
const MAX_PLATFORMS = 16;

/** What is longer is the value of no label. */
const MAX_LABEL_LENGTH = 63;

/**
 * The platforms that a Pod spec fixes by nodeSelector, required node affinity and `os.name`; `undefined` where an
 * architecture is left open. Terms of the affinity are alternatives; what stands in one term holds together.
 */
export function readPlatforms(spec: unknown): PlatformChoice | undefined {
  const base = narrow(selected(spec), { os: osNameOf(spec), architecture: undefined });
  const demands = affinityTerms(spec).map((term) => termDemand(term, base));
  const platforms = new Map<string, Platform>();
  let isFixed = true;
  for (const demand of demands.length === 0 ? [base] : demands) {
    const { architecture: architectures, os = new Set(['linux']) } = demand;
    if (architectures === undefined) return undefined;
    for (const platform of product(os, architectures)) {
      platforms.set(formatPlatform(platform), platform);
      isFixed &&= isSettled(platform, demand);
    }
    if (platforms.size > MAX_PLATFORMS) return undefined;
  }
  return platforms.size === 0 ? undefined : { platforms: [...platforms.values()], isFixed };
}

/**
 * Labels name no variant, so `arm` stays open. Windows nodes are amd64 (Kubernetes supports no other): where the
 * operating system is not said, amd64 stays open too.
 */
function isSettled(platform: Platform, demand: Demand): boolean {
  return platform.architecture !== 'arm' && (demand.os !== undefined || platform.architecture !== 'amd64');
}

function product(systems: ReadonlySet<string>, architectures: ReadonlySet<string>): readonly Platform[] {
  return [...systems].slice(0, MAX_PLATFORMS).flatMap((os) =>
    [...architectures].slice(0, MAX_PLATFORMS + 1).flatMap((architecture) => {
      const platform = parsePlatform(`${os}/${architecture}`);
      return platform.ok && !architecture.includes('/') ? [platform.value] : [];
    }),
  );
}

function selected(spec: unknown): Demand {
  const selector = fieldOf(spec, 'nodeSelector');
  const valuesOf = (labels: readonly string[]): Demand['os'] => {
    const values = labels.map((label) => nameOf(selector, label, MAX_LABEL_LENGTH + 1)).filter((value) => value !== '');
    return values.length === 0 ? undefined : new Set(values.slice(0, 1));
  };
  return { os: valuesOf(OS_LABELS), architecture: valuesOf(ARCHITECTURE_LABELS) };
}

function osNameOf(spec: unknown): Demand['os'] {
  const name = nameOf(fieldOf(spec, 'os'), 'name', MAX_LABEL_LENGTH + 1);
  return name === '' ? undefined : new Set([name]);
}

const REQUIRED = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];

/** Terms without any expression match no node, as in the scheduler, and offer no platform. */
function affinityTerms(spec: unknown): readonly unknown[] {
  return listOf(fieldAt(spec, REQUIRED), 'nodeSelectorTerms').filter(
    (term) => listOf(term, 'matchExpressions').length > 0 || listOf(term, 'matchFields').length > 0,
  );
}

function termDemand(term: unknown, base: Demand): Demand {
  return listOf(term, 'matchExpressions').reduce<Demand>((demand, expression) => {
    const key = textOf(expression, 'key');
    const isOs = OS_LABELS.includes(key);
    if (!isOs && !ARCHITECTURE_LABELS.includes(key)) return demand;
    const values = new Set(listOf(expression, 'values').filter(isLabelValue));
    if (textOf(expression, 'operator') === 'In')
      return narrow(demand, isOs ? { ...ANY, os: values } : { ...ANY, architecture: values });
    return demand;
  }, base);
}

function isLabelValue(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LABEL_LENGTH;
}

function narrow(a: Demand, b: Demand): Demand {
  return { os: intersect(a.os, b.os), architecture: intersect(a.architecture, b.architecture) };
}

function intersect(a: Demand['os'], b: Demand['os']): Demand['os'] {
  if (a === undefined || b === undefined) return a ?? b;
  return a.intersection(b);
}
