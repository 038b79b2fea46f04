import { err, ok, type Result } from './result.ts';

/** A platform in GOOS/GOARCH terms, normalised (pull-parity F1). `osVersion` matters on Windows only. */
export type Platform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
  readonly osVersion: string | undefined;
  /** What an entry of an index asks of the node's operating system; absent where it asks for nothing (pull-parity F14). */
  readonly osFeatures?: readonly string[];
};

/** Other names of an architecture. Where one fixes the variant too, what else is written of it does not count. */
const ARCHITECTURE_ALIASES: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map(
  [
    ['x86_64', { architecture: 'amd64' }],
    ['x86-64', { architecture: 'amd64' }],
    ['i386', { architecture: '386', variant: '' }],
    ['aarch64', { architecture: 'arm64' }],
    ['armhf', { architecture: 'arm', variant: 'v7' }],
    ['armel', { architecture: 'arm', variant: 'v6' }],
  ],
);
const PART = /^[A-Za-z0-9_.-]+$/u;

/** Brings spellings together as containerd's platforms database does: `aarch64` is `arm64`, `arm` is `arm/v7`. */
export function normalizePlatform(platform: {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[];
}): Platform {
  const lower = platform.architecture.toLowerCase();
  const alias = ARCHITECTURE_ALIASES.get(lower);
  const architecture = alias?.architecture ?? lower;
  const written = alias?.variant ?? platform.variant?.toLowerCase();
  const given = written === '' ? undefined : written;
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const osVersion = platform.osVersion === '' ? undefined : platform.osVersion;
  const normal = { os, architecture, variant: normalizeVariant(architecture, given), osVersion };
  return (platform.osFeatures ?? []).length === 0 ? normal : { ...normal, osFeatures: platform.osFeatures ?? [] };
}

function normalizeVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === 'amd64') return variant === 'v1' ? undefined : variant;
  if (architecture === 'arm64')
    return variant === undefined || variant === 'v8' || variant === '8' ? undefined : variant;
  if (architecture !== 'arm') return variant;
  if (variant === undefined) return 'v7';
  return /^[5-8]$/u.test(variant) ? `v${variant}` : variant;
}

const OS_VERSION = /^\d+\.\d+\.\d+(?:\.\d+)*$/u;

/** Reads `os/arch[/variant]`, as `--platform` and the policy write it; for Windows with a version: `windows/amd64:10.0.20348`. */
export function parsePlatform(text: string): Result<Platform> {
  const colon = text.startsWith('windows/') ? text.indexOf(':') : -1;
  if (colon >= 0) {
    const platform = parsePlatform(text.slice(0, colon));
    const osVersion = text.slice(colon + 1);
    if (OS_VERSION.test(osVersion)) return platform.ok ? ok({ ...platform.value, osVersion }) : platform;
    return err(`"${text}" is no platform: expected the build of Windows after the colon, as windows/amd64:10.0.20348`);
  }
  const [os, architecture, variant, ...more] = text.split('/');
  if (os === undefined || architecture === undefined || more.length > 0) {
    return err(`"${text}" is no platform: expected os/arch[/variant], for example linux/amd64 or linux/arm/v7`);
  }
  if (![os, architecture, variant ?? 'x'].every((part) => PART.test(part))) {
    return err(`"${text}" is no platform: a part is empty or has a character that no platform has`);
  }
  return ok(normalizePlatform({ os, architecture, variant }));
}

export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}

/** The same with what tells builds of Windows apart: {@link parsePlatform} reads it back. Revisions do not matter. */
export function spellPlatform(platform: Platform): string {
  const text = formatPlatform(platform);
  if (platform.os !== 'windows' || platform.osVersion === undefined) return text;
  return `${text}:${platform.osVersion.split('.', 3).join('.')}`;
}

export function isSamePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && a.variant === b.variant;
}
