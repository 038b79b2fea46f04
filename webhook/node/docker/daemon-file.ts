import { quote } from '../../outcome/printable.ts';
import { parseEndpointUrl, type EndpointUrl } from '../endpoint-url.ts';
import type { SettingsProblem } from '../endpoint.ts';
import { createInsecureHosts, type InsecureHosts } from '../insecure.ts';
import { parseJson } from '../mistakes/json.ts';
import { mistake, toProblem, type Mistake } from '../mistakes/mistake.ts';
import { isTable, readTexts } from '../mistakes/shape.ts';

/** What dockerd knows of registries: its daemon.json, and the policy's shorthand. */
export type DaemonSettings = {
  readonly insecure: InsecureHosts;
  /** Those that were declared: in daemon.json or by the policy's shorthand. */
  readonly withoutBuiltIn: InsecureHosts;
  /** Those that daemon.json itself lists. */
  readonly declaredInsecure: InsecureHosts;
  /** Whether any insecure registry was declared: the built-in ranges do not count. */
  readonly hasInsecure: boolean;
  /** For Docker Hub only, in order. */
  readonly mirrors: readonly EndpointUrl[];
  /** The file's name for messages, `undefined` where there is none. */
  readonly file: string | undefined;
  readonly problems: readonly SettingsProblem[];
};

/** Built into dockerd: a registry on the machine itself may lack TLS (pull-parity E9). */
const BUILT_IN = ['127.0.0.0/8', '::1/128'];
const CONSEQUENCE = 'dockerd does not start with it';

type NamedText = { readonly name: string; readonly text: string };

/** Reads the two keys of daemon.json that pulls depend on. What cannot be used is left out and reported. */
export function readDaemonFile(file: NamedText | undefined, alsoInsecure: readonly string[]): DaemonSettings {
  if (file === undefined) return settingsOf({ insecure: [], mirrors: [] }, alsoInsecure, undefined, []);
  const text = file.text.replace(/^\ufeff/u, '');
  const document = text.trim() === '' ? { ok: true as const, value: {} } : parseJson(text);
  if (!document.ok) {
    const { line, expected } = document.error;
    const problem = { file: file.name, line, reason: `${expected}; ${CONSEQUENCE}` };
    return settingsOf({ insecure: [], mirrors: [] }, alsoInsecure, file, [problem]);
  }
  if (!isTable(document.value)) {
    const found = mistake('expected daemon.json to be a JSON object');
    return settingsOf({ insecure: [], mirrors: [] }, alsoInsecure, file, [
      { ...toProblem(found, file, CONSEQUENCE), line: 1 },
    ]);
  }
  const insecure = readTexts(document.value, 'insecure-registries');
  const mirrors = readTexts(document.value, 'registry-mirrors');
  const problems = [insecure, mirrors].flatMap((one) => (one.ok ? [] : [toProblem(one.error, file, CONSEQUENCE)]));
  return settingsOf(
    {
      insecure: (insecure.ok ? insecure.value : undefined) ?? [],
      mirrors: (mirrors.ok ? mirrors.value : undefined) ?? [],
    },
    alsoInsecure,
    file,
    problems,
  );
}

function settingsOf(
  written: { readonly insecure: readonly string[]; readonly mirrors: readonly string[] },
  alsoInsecure: readonly string[],
  file: NamedText | undefined,
  problems: readonly SettingsProblem[],
): DaemonSettings {
  const declaredInsecure = createInsecureHosts(written.insecure);
  const mistakes: Mistake[] = declaredInsecure.invalid.map((entry) =>
    mistake(
      `expected insecure-registries to list host[:port] or CIDR, not ${quote(entry, 80)}`,
      'insecure-registries',
      entry,
    ),
  );
  const mirrors: EndpointUrl[] = [];
  for (const mirror of new Set(written.mirrors.map((one) => one.replace(/\/$/u, '')))) {
    const url = /[?#@]/u.test(mirror) ? undefined : parseEndpointUrl(mirror);
    if (url !== undefined) mirrors.push(url);
    else
      mistakes.push(
        mistake('expected registry-mirrors to list http(s)://host[:port][/path]', 'registry-mirrors', mirror),
      );
  }
  const named = file ?? { name: '', text: '' };
  return {
    insecure: createInsecureHosts([...written.insecure, ...alsoInsecure, ...BUILT_IN]),
    withoutBuiltIn: createInsecureHosts([...written.insecure, ...alsoInsecure]),
    declaredInsecure,
    hasInsecure: written.insecure.length + alsoInsecure.length > 0,
    mirrors,
    file: file?.name,
    problems: [...problems, ...mistakes.map((one) => toProblem(one, named, CONSEQUENCE))],
  };
}
