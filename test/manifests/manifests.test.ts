import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readDocuments } from '../../webhook/manifests/documents.ts';
import { readManifests, settleManifests, type Manifests } from '../../webhook/manifests/manifests.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - name: app
      image: reg.example/app:1
`;

const file = (text: string, isNamed = true) => ({ name: 'a.yaml', text, isNamed });

function mistakesOf(text: string, isNamed = true): readonly string[] {
  const read = readManifests([file(text, isNamed)]);
  return read.ok ? [] : read.error;
}

function settled(text: string, namespace = 'team'): Manifests {
  const read = readManifests([file(text)]);
  assert.ok(read.ok, read.ok ? '' : read.error.join('\n'));
  return settleManifests(read.value, namespace);
}

/** `image:line` of every image. */
const imagesOf = ({ workloads }: Manifests): readonly string[] =>
  workloads.flatMap(({ workload, source }) => workload.uses.map((use) => `${use.image}:${source.lineOf(use.path)}`));

describe('the manifests of a check', () => {
  it('hold every image with its line, in YAML documents, Lists, typed lists and JSON', () => {
    const { metadata, spec } = { metadata: { name: 'j' }, spec: { containers: [{ name: 'c', image: 'json:1' }] } };
    const text = [
      POD,
      `kind: List\napiVersion: v1\nitems:\n- ${POD.trimEnd().replaceAll('\n', '\n  ')}\n`,
      `apiVersion: v1\nkind: PodList\nitems:\n- metadata: { name: p }\n  spec: { containers: [{ image: listed:1 }] }\n`,
      '# nothing but a comment\n',
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec }),
    ].join('---\n');

    assert.deepEqual(imagesOf(settled(text)), [
      'reg.example/app:1:7',
      'reg.example/app:1:18',
      'listed:1:24',
      'json:1:28',
    ]);
  });

  it('merge maps as kubectl does, and give what an anchor brings in the line of its user', () => {
    const text = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - &base
      name: one
      image: merged:1
    - <<: *base
      name: two
`;

    assert.deepEqual(imagesOf(settled(text)), ['merged:1:8', 'merged:1:9']);
  });

  it('stand in their own namespace, or in the one that the user names', () => {
    const text = `${POD}---\n${POD.replace('{ name: web }', '{ name: web, namespace: own }')}---
apiVersion: v1
kind: Secret
metadata: { name: pull }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: builder }
imagePullSecrets: [{ name: pull }, {}]
`;
    const { workloads, secrets, serviceAccounts } = settled(text, 'chosen');

    assert.deepEqual(
      workloads.map(({ workload }) => [workload.namespace, workload.pod.namespace]),
      [
        ['chosen', 'chosen'],
        ['own', 'own'],
      ],
    );
    assert.deepEqual(secrets, [{ namespace: 'chosen', name: 'pull', type: 'Opaque', data: {} }]);
    assert.deepEqual(serviceAccounts, [{ namespace: 'chosen', name: 'builder', imagePullSecrets: ['pull', ''] }]);
  });

  it('have Secrets as the API server would store them: data decoded, stringData before it', () => {
    const text = `apiVersion: v1
kind: Secret
metadata: { name: pull }
type: kubernetes.io/dockerconfigjson
data:
  plain: |
    aGVs
    bG8=
  broken-lines: "aGVs\\r\\nbG8="
  none:
  both: aGVsbG8=
stringData:
  both: later
`;

    assert.deepEqual(settled(text).secrets[0]?.data, {
      plain: 'hello',
      'broken-lines': 'hello',
      none: '',
      both: 'later',
    });
  });

  const mistaken: readonly (readonly [what: string, text: string, ...lines: readonly string[]])[] = [
    [
      'a value that is not base64, without its text',
      'apiVersion: v1\nkind: Secret\nmetadata: { name: pull }\ndata:\n  a: aGk=\n  .dockerconfigjson: \'{"auths":{}}\'\n',
      'a.yaml:6: Secret "pull": data[".dockerconfigjson"] is not base64; plain text belongs under stringData',
    ],
    [
      'base64 without its padding, which Go refuses',
      'apiVersion: v1\nkind: Secret\nmetadata: { name: pull }\ndata: { a: aGVsbG8 }\n',
      'a.yaml:4: Secret "pull": data["a"] is not base64; plain text belongs under stringData',
    ],
    [
      'a number under stringData',
      'apiVersion: v1\nkind: Secret\nmetadata: {}\nstringData: { port: 5000 }\n',
      'a.yaml:4: Secret without a name: stringData["port"] is not a string',
    ],
    ['an object without a kind', 'apiVersion: v1\n', 'a.yaml:1: the object has no kind, so it is no manifest'],
    ['a text', 'hello\n', 'a.yaml:1: expected a Kubernetes object with apiVersion and kind'],
    [
      'entries of a List that are no objects',
      'kind: List\nitems:\n- 7\n-\n',
      'a.yaml:3: expected a Kubernetes object with apiVersion and kind',
      'a.yaml:4: expected a Kubernetes object with apiVersion and kind',
    ],
    [
      'an image that is no text',
      'kind: Pod\nmetadata: { name: web }\nspec: { containers: [{ image: 7 }] }\n',
      'a.yaml:3: Pod web: an image or a container is not written as one',
    ],
    [
      'pull secrets that are no list, and a name that is none',
      'kind: Pod\nmetadata: { name: web }\nspec:\n  imagePullSecrets: ci\n---\nkind: CronJob\nmetadata: { name: nightly }\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          serviceAccountName: [ci]\n',
      'a.yaml:4: Pod web: imagePullSecrets is not a list of names, as in [{ name: ci }]',
      'a.yaml:13: CronJob nightly: serviceAccountName is not a name',
    ],
    [
      'pull secrets of a ServiceAccount that are names without a field',
      'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ci }\nimagePullSecrets:\n- ci\n',
      'a.yaml:5: ServiceAccount ci: imagePullSecrets is not a list of names, as in [{ name: ci }]',
    ],
    ['a key that is there twice', 'kind: Pod\nkind: Pod\n', 'a.yaml:2: Map keys must be unique'],
    [
      'the templates of a chart, with the way out',
      'kind: Pod\nspec: {{ .Values.spec }}\n---\n{{- if .Values.more }}\nkind: Pod\n',
      'a.yaml:2: Flow map must contain a } at its end or be terminated by a newline; a chart is rendered first: helm template . | pullguard check -f -',
    ],
    [
      'an alias bomb',
      `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\nkind: Pod\n`,
      'a.yaml:1: Excessive alias count indicates a resource exhaustion attack',
    ],
    ['lists beyond any depth', '['.repeat(20_000), 'a.yaml:1: it is nested too deep'],
    ['a file without a word', ' \n', 'a.yaml:1: it is empty'],
  ];
  for (const [what, text, ...lines] of mistaken) {
    it(`name the line of ${what}`, () => {
      const found = mistakesOf(text);

      if (what.startsWith('the templates')) {
        assert.ok(found.length > 0);
        for (const line of found) assert.match(line, /^a\.yaml:\d+: .*; a chart is rendered first: helm template/u);
      } else assert.deepEqual(found, lines);
    });
  }

  it('report the mistakes of all files at once, and those of standard input by its name', () => {
    const read = readManifests([
      { name: 'a.yaml', text: '- 1\n', isNamed: true },
      { name: '-', text: '\n\n: [', isNamed: true },
    ]);

    assert.ok(!read.ok);
    assert.match(read.error.join('\n'), /^a\.yaml:1: .+\nstandard input:3: /u);
  });

  it('are not taken for nothing where a pipeline broke off before them', () => {
    const read = readManifests([{ name: '-', text: '', isNamed: true }]);

    assert.deepEqual(read.ok ? [] : read.error, [
      'standard input:1: it is empty: did the command fail that writes it?',
    ]);
    assert.deepEqual(mistakesOf('# rendered: nothing\n'), []);
    assert.deepEqual(mistakesOf('', false), []);
  });

  it('pass over what a folder holds besides manifests, but not over what claims to be one', () => {
    assert.deepEqual(mistakesOf('image: { tag: 1 }\n', false), []);
    assert.deepEqual(mistakesOf('apiVersion: v1\n', false), ['a.yaml:1: the object has no kind, so it is no manifest']);
  });

  it('tell of a Secret that is there twice, of which the last counts, and of files without any image', async () => {
    const secret = (value: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: pull }\nstringData: { a: ${value} }\n`;
    const manifests = settled(
      `${secret('first')}---\n${secret('second')}---\nkind: Rollout\n---\nkind: Ingress\n---\napiVersion: extensions/v1beta1\nkind: Deployment\n`,
    );

    assert.deepEqual(manifests.notices, [
      'Secret team/pull is there 2 times (a.yaml:1, a.yaml:6), the last one counts',
      'the manifests name no image: no Pod and no workload among Deployment (extensions/v1beta1), Ingress, Rollout',
    ]);
    const read = await manifestSecretSource(manifests).secret('team', 'pull');
    assert.deepEqual(read.kind === 'found' && read.secret.data, { a: 'second' });
  });

  it('answer for Secrets of their namespace only, and know a ServiceAccount "default" everywhere', async () => {
    const source = manifestSecretSource(settled('apiVersion: v1\nkind: Secret\nmetadata: { name: pull }\n', 'team'));

    assert.equal((await source.secret('team', 'pull')).kind, 'found');
    assert.deepEqual(await source.secret('other', 'pull'), { kind: 'missing', elsewhere: ['team'] });
    assert.deepEqual(await source.secret('team', 'push'), { kind: 'missing', elsewhere: [] });
    assert.deepEqual(await source.serviceAccount('any', 'default'), { kind: 'found', imagePullSecrets: [] });
    assert.deepEqual(await source.serviceAccount('any', 'builder'), { kind: 'missing' });
  });

  it('never throw and never leave a mistake without its place, whatever the text', () => {
    const words = [
      'kind: ',
      'Pod',
      'List',
      '\n',
      '- ',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '<<: ',
      '"',
      '---\n',
      '\t',
    ];
    const odd = ['\u0000', '\u001b', '\u0085', '\u2028', '\ufeff', '\ud800', '\u{1f433}'];
    const texts = fc.array(fc.oneof(fc.constantFrom(...words, ...odd), fc.string()), { maxLength: 30 });

    fc.assert(
      fc.property(texts, (parts) => {
        for (const mistake of mistakesOf(parts.join(''))) assert.match(mistake, /^a\.yaml:\d+: [ -~]+$/u);
      }),
      { numRuns: 500 },
    );
  });

  it('refuse what is nested beyond reason in one line', () => {
    const read = readDocuments('['.repeat(20_000), 'deep.yaml');

    assert.ok(!read.ok);
    assert.match(read.error.join('\n'), /^deep\.yaml:\d+: [ -~]+$/u);
  });
});
