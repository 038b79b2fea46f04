const BINARY_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const DECIMAL_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `4.1 GiB`, `512 B`: sizes in powers of 1024, as `kubectl` and the runtimes show them. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, BINARY_UNITS);
}

/** `20 MB/s`: rates in powers of 1000, as networks are sold. */
export function formatRate(bytesPerSecond: number): string {
  return `${scaled(bytesPerSecond, 1000, DECIMAL_UNITS)}/s`;
}

/** `45 s`, `3.5 min`, `2 h`, `1.5 days`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'forever';
  const whole = Math.max(0, seconds);
  if (whole < 90) return `${rounded(whole)} s`;
  if (whole < 90 * 60) return `${rounded(whole / 60)} min`;
  if (whole < 48 * 3600) return `${rounded(whole / 3600)} h`;
  return `${rounded(whole / 86_400)} days`;
}

function scaled(amount: number, base: number, units: readonly string[]): string {
  let value = Number.isFinite(amount) ? Math.max(0, amount) : 0;
  let unit = 'B';
  for (const next of units) {
    // 999.6 would be shown as "1000"
    if (Math.round(value) < base) break;
    value /= base;
    unit = next;
  }
  return `${rounded(value)} ${unit}`;
}

/** One decimal below ten, none above; `2.0` is `2`. */
function rounded(value: number): string {
  return value < 9.95 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}
