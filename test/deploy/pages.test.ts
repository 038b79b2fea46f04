import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { DEFAULT_ACTIONS, DEFAULT_FINDING_ACTIONS } from '../../webhook/outcome/action.ts';
import { COLLECTIONS } from '../../webhook/kube/object-list.ts';
import { POLICY_JSON_SCHEMA } from '../../webhook/policy/json-schema.ts';
import { formatMistakes, readPolicy } from '../../webhook/policy/load.ts';
import { createMetrics } from '../../webhook/telemetry/metrics.ts';
import { runHere } from '../cli/run-here.ts';

type Row = readonly [first: string, ...others: string[]];
type Schema = typeof POLICY_JSON_SCHEMA;

const read = (name: string): string => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');

/** The rows of all tables whose first cell is code, without the backticks around it. */
function rowsOf(markdown: string): readonly Row[] {
  return markdown.split('\n').flatMap((line) => {
    const [first, ...others] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return first?.startsWith('`') === true ? [[first.slice(1, -1), ...others] as const] : [];
  });
}

const codeIn = (cell: string | undefined): string | undefined => /^`(?<code>.*)`$/u.exec(cell ?? '')?.groups?.['code'];

/** Every field that a policy can set, as the page writes it, with the default that the schema has. */
function fieldsOf(node: Schema, path = ''): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [key, value] of Object.entries(node.properties ?? {})) {
    if (typeof value !== 'object') continue;
    const own = path === '' ? key : `${path}.${key}`;
    const inner = fieldsOf(value, own);
    // a map that only holds others is no field of its own
    if (value.properties === undefined) fields.set(own, value.default);
    for (const one of inner) fields.set(...one);
  }
  const below = [
    ...(node.anyOf ?? []).map((one) => [one, path] as const),
    [node.items, `${path}[]`] as const,
    [node.additionalProperties, `${path}.*`] as const,
  ];
  for (const [one, at] of below) {
    if (typeof one === 'object' && !Array.isArray(one)) for (const field of fieldsOf(one, at)) fields.set(...field);
  }
  return fields;
}

describe('the template of a NetworkPolicy', () => {
  it('is of the Pods and ports of the installation', () => {
    const of = parse(read('network-policy.yaml')) as { readonly metadata: object; readonly spec: NetworkPolicySpec };
    const ports = of.spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port));
    const installed = [...read('install.yaml').matchAll(/containerPort: (?<port>\d+)/gu)].map((match) =>
      Number(match.groups?.['port']),
    );

    assert.deepEqual(ports, installed);
    assert.deepEqual(of.spec.podSelector, { matchLabels: { 'app.kubernetes.io/name': 'pullguard' } });
  });
});

type NetworkPolicySpec = {
  readonly podSelector: object;
  readonly ingress: readonly { readonly ports: readonly { readonly port: number }[] }[];
};

describe('the page about the policy', () => {
  const rows = rowsOf(read('policy.md'));
  const fields = fieldsOf(POLICY_JSON_SCHEMA);

  it('has a row with a default and an example for every field, and for nothing else', () => {
    const kinds = new Set<string>([...Object.keys(DEFAULT_ACTIONS), ...Object.keys(DEFAULT_FINDING_ACTIONS)]);
    const paths = rows.map(([path]) => path).filter((path) => !kinds.has(path));

    assert.deepEqual(paths.toSorted(), [...fields.keys()].filter((path) => path !== 'rules').toSorted());
    for (const [path, ...cells] of rows) {
      assert.ok(
        cells.every((cell) => cell !== ''),
        path,
      );
    }
  });

  it('names the defaults of the schema', () => {
    for (const [path, , shown = ''] of rows) {
      const usual = fields.get(path);
      if (usual === undefined || shown === 'see below') continue;
      assert.deepEqual(parse(codeIn(shown) ?? ''), usual, path);
    }
  });

  for (const [path, , , cell] of rows.filter(([one]) => fields.has(one))) {
    const example = codeIn(cell);
    if (example === undefined) continue;
    it(`shows an example that is taken: ${path}`, () => {
      const policy = readPolicy(JSON.stringify(documentWith(path, parse(example))), 'example');

      assert.ok(policy.ok, policy.ok ? '' : formatMistakes('example', policy.error));
    });
  }

  it('has every outcome and finding with the action that is shipped', () => {
    const actions = new Map(rows.map(([kind, ...cells]) => [kind, cells.slice(1)]));

    for (const [kind, { proven, unproven }] of Object.entries(DEFAULT_ACTIONS)) {
      assert.deepEqual(actions.get(kind), [proven, unproven], kind);
    }
    for (const [kind, action] of Object.entries(DEFAULT_FINDING_ACTIONS)) {
      assert.deepEqual(actions.get(kind), [action], kind);
    }
  });
});

/** What a field needs beside it before a policy is whole. */
const BESIDE: Readonly<Record<string, object>> = {
  'nodes.platforms.exhaustive': { list: ['linux/amd64'] },
  'nodes.containerd.clientCertificates[].path': { secret: 'a', key: 'b' },
  'nodes.containerd.clientCertificates[].secret': { path: '/a', key: 'b' },
  'nodes.containerd.clientCertificates[].key': { path: '/a', secret: 'b' },
  'network.realms[].registry': { realm: 'b.example' },
  'network.realms[].realm': { registry: 'a.example' },
};

/** A whole policy with one field set; `*` is a host, or an outcome. */
function documentWith(path: string, value: unknown): unknown {
  const words = path.split('.');
  const last = words.at(-1) ?? '';
  let document: unknown = { [last]: value, ...BESIDE[path] };
  for (const word of words.slice(0, -1).toReversed()) {
    const key = word === '*' ? (words[0] === 'actions' ? 'tag-not-found' : 'registry.example') : word.replace('[]', '');
    document = { [key]: word.endsWith('[]') ? [withSet(document, path)] : document };
  }
  return document;
}

/** A rule must set something, and what refuses doubts must name its causes. */
function withSet(item: unknown, path: string): unknown {
  if (!path.startsWith('rules[]') || typeof item !== 'object') return item;
  if (path.startsWith('rules[].set.action')) return { ...item, match: { causes: ['unreachable'] } };
  return path.startsWith('rules[].set') ? item : { ...item, set: { mode: 'warn' } };
}

describe('the page about the command line', () => {
  const sections = new Map(
    read('command-line.md')
      .split(/^## pullguard /mu)
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf('\n')), rowsOf(text)]),
  );

  for (const command of ['check', 'scan', 'serve', 'demo']) {
    it(`has every flag of pullguard ${command}, and no other`, async () => {
      const { stdout } = await runHere([command, '--help']);
      const flags = [...stdout.matchAll(/^ {2}(?<flag>(?:-\w, )?--[\w-]+)/gmu)].map(({ groups }) => groups?.['flag']);

      assert.deepEqual(
        sections.get(command)?.map(([flag]) => flag),
        flags.filter((flag) => flag !== '-h, --help'),
      );
    });
  }
});

describe('the rights that scan wants', () => {
  it('are to list every kind that it reads, and to get what it reads by name', () => {
    const [, yaml = ''] = /```yaml\n(?<text>[^`]*kind: ClusterRole[^`]*)```/u.exec(read('command-line.md')) ?? [];
    const { rules } = parse(yaml) as { readonly rules: readonly { resources: string[]; verbs: string[] }[] };

    assert.deepEqual(
      rules.map(({ resources, verbs }) => [verbs.join(), resources.toSorted()]),
      [
        ['list', ['nodes', ...COLLECTIONS.map(({ plural }) => plural)].toSorted()],
        ['get', ['configmaps', 'secrets', 'serviceaccounts']],
      ],
    );
  });
});

describe('the page about the installation', () => {
  it('has every metric of our own, and no other', async () => {
    const metrics = createMetrics({ now: () => 0, refusalStatuses: [400] });
    metrics.certificateExpires(1);
    const text = await metrics.text();
    const names = [...text.matchAll(/^# TYPE (?<name>pullguard_\w+)/gmu)].map(({ groups }) => groups?.['name'] ?? '');
    const shown = rowsOf(read('README.md')).map(([first]) => first.replace(/\{.*/u, ''));

    assert.deepEqual(shown.filter((name) => name.startsWith('pullguard_')).toSorted(), names.toSorted());
  });
});
