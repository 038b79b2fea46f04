import { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import { parsePlatform, spellPlatform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import { parseRuntime } from '../outcome/runtime.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { quote } from './quote.ts';
import { parseThroughput } from './throughput.ts';

/** A text that `read` takes; its error is the mistake. `expected` completes "expected ..." where it is no text at all. */
function readBy<T>(read: (text: string) => Result<T>, expected: string, examples: readonly string[]) {
  return z
    .string({ error: `expected ${expected}, for example ${examples.join(' or ')}` })
    .meta({ description: `${expected}, for example ${examples.join(', ')}` })
    .transform((text, context) => {
      const value = read(text);
      if (value.ok) return value.value;
      context.addIssue({ code: 'custom', message: value.error });
      return z.NEVER;
    });
}

/** A text of a given shape. */
function shaped(shape: RegExp, expected: string, examples: readonly string[]) {
  const read = (text: string): Result<string> =>
    text.length <= MAX_LENGTH && shape.test(text)
      ? ok(text)
      : err(`${quote(text)} is not ${expected}: expected for example ${examples.join(' or ')}`);
  return readBy(read, expected, examples);
}

/** Longer than any name, pattern or address; far below what would make matching slow. */
const MAX_LENGTH = 512;

/** A duration within bounds, all in milliseconds. */
export function duration(minMs: number, maxMs: number) {
  const read = (text: string): Result<number> => {
    const millis = parseDuration(text);
    if (!millis.ok || (millis.value >= minMs && millis.value <= maxMs)) return millis;
    return err(`must be between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`);
  };
  return readBy(read, 'a duration', ['3500ms', '2s']);
}

export const throughputText = readBy(parseThroughput, 'a throughput', ['20MB/s', '100Mbit/s']);
export const runtimeText = readBy((text) => keep(text, parseRuntime(text)), 'a runtime', [
  'containerd@2.1/transfer',
  'docker@28.5',
  'crio',
]);
export const platformText = readBy(
  (text) => {
    const platform = parsePlatform(text);
    return platform.ok ? ok(spellPlatform(platform.value)) : platform;
  },
  'a platform',
  ['linux/amd64', 'linux/arm/v7', 'windows/amd64:10.0.20348'],
);

export const namespaceGlob = shaped(/^[a-z0-9*-]+$/u, 'a namespace or a pattern with "*"', ['team-a', 'ci-*']);
export const kindGlob = shaped(/^[A-Za-z*]+$/u, 'a kind or a pattern with "*"', ['Deployment', '*Job']);
export const imagePattern = shaped(/^[A-Za-z0-9*[\]][\w.:@/*[\]-]*$/u, 'an image pattern', [
  'ghcr.io/team',
  '*.example.com/*',
]);
/** A host of the kubelet's `matchImages`, without a scheme: what stands in brackets is one character of several. */
export const MATCH_IMAGES = /^(?:[A-Za-z0-9*?.-]|\[[^\s[\]/]+\])+(?::\d{1,5})?(?:\/\S*)?$/u;
export const matchImagesPattern = shaped(MATCH_IMAGES, 'a matchImages pattern', ['*.dkr.ecr.*.amazonaws.com']);
export const objectName = shaped(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/u, 'the name of an object', ['registry-client']);
export const dataKey = shaped(/^[\w.-]+$/u, 'a key of a Secret', ['tls.key']);
export const treePath = shaped(/^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\s\\]+$/u, 'a relative path', [
  'reg.example:5000/hosts.toml',
]);

export const dropInName = shaped(/^(?!\.)[^\s/\\]+\.conf$/u, 'the name of a drop-in', ['50-team.conf']);
/** containerd splits it at ":", or takes it for one folder (pull-parity E1). */
export const configPath = shaped(/^\/[^\s]*$/u, 'a path, or paths with ":" between them', [
  '/etc/containerd/certs.d',
  '/etc/containerd/certs.d:/etc/docker/certs.d',
]);
/** The kubelet's own check (pkg/kubelet/images/pullmanager `getAllowlistImagePattern`) but for what is no image name. */
export const allowlistImage = shaped(/^[A-Za-z0-9[][\w.:/[\]-]*(?:\/\*)?$/u, 'an image without tag and digest', [
  'reg.example/base/java',
  'reg.example/base/*',
]);

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(?<port>\d{1,5}))?$/u;

function readHost(text: string, isPortNeeded: boolean): Result<string> {
  const match = text.length > MAX_LENGTH ? null : HOST.exec(text);
  const port = match?.groups?.['port'];
  const expected = isPortNeeded ? 'HOST:PORT' : 'HOST or HOST:PORT';
  if (match === null || (isPortNeeded && port === undefined)) {
    return err(`${quote(text)} is not ${expected}: expected for example reg.example:5000, without a scheme or a path`);
  }
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  return isPort ? ok(text) : err(`${quote(text)} has a port that does not exist`);
}

function readCidr(text: string): Result<string> {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text)) return ok(text);
  return err(`${quote(text)} is no address range: expected for example 10.96.0.0/12 or fd00::/8`);
}

export const host = readBy((text) => readHost(text, false), 'HOST or HOST:PORT', ['reg.example:5000']);
export const hostAndPort = readBy((text) => readHost(text, true), 'HOST:PORT', ['registry.infra.svc:5000']);
export const cidr = readBy(readCidr, 'an address range', ['10.96.0.0/12']);
export const hostOrCidr = readBy(
  (text) => (text.includes('/') ? readCidr(text) : readHost(text, false)),
  'HOST, HOST:PORT or an address range',
  ['reg.example:5000', '10.0.0.0/8'],
);

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** Reads PEM text with one certificate or more. Each is decoded here: a damaged one would break TLS to every registry. */
function readCertificates(text: string): Result<string> {
  const blocks = text.match(CERTIFICATE);
  if (blocks === null) return err('holds no certificate: expected PEM text with a block -----BEGIN CERTIFICATE-----');
  for (const [at, block] of blocks.entries()) {
    try {
      void new X509Certificate(block);
    } catch {
      return err(`certificate ${at + 1} of ${blocks.length} cannot be decoded: copy the PEM file again as it is`);
    }
  }
  return ok(text);
}

export const certificates = readBy(readCertificates, 'PEM text of certificates', ['the content of ca.crt']);

function readJsonObject(text: string): Result<string> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return ok(text);
  } catch {
    return err('is not JSON, and dockerd would not start with it');
  }
  return err('is not a JSON object, and dockerd would not start with it');
}

export const daemonJson = readBy(readJsonObject, 'the text of daemon.json', [
  '{"insecure-registries": ["reg.example:5000"]}',
]);

function keep<T>(text: string, result: Result<T>): Result<string> {
  return result.ok ? ok(text) : result;
}
