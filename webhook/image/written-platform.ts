import { inGoSpelling } from './go-json.ts';
import type { JsonObject } from './json.ts';
import type { Platform } from './platform.ts';

/** Nobody asks for so many. */
const MAX_FEATURES = 2048;

/** The platform of an index entry or of a config (OCI image spec, image-index.md), in the spelling that it has there. */
export function writtenPlatform(given: JsonObject): Platform {
  const value = inGoSpelling(given);
  const text = (key: string): string | undefined => (typeof value[key] === 'string' ? value[key] : undefined);
  return {
    os: text('os') ?? '',
    architecture: text('architecture') ?? '',
    variant: text('variant'),
    osVersion: text('os.version'),
    osFeatures: osFeaturesOf(value),
  };
}

function osFeaturesOf(platform: JsonObject): readonly string[] {
  const features = platform['os.features'];
  return Array.isArray(features) ? features.filter((one) => typeof one === 'string').slice(0, MAX_FEATURES) : [];
}
