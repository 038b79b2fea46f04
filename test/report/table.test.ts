import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { summaryLine } from '../../webhook/report/summary.ts';
import { formatTable } from '../../webhook/report/table.ts';
import { wrap, wrapHard } from '../../webhook/report/wrap.ts';
import { anyResults, DENIED, PULLABLE, SKIPPED, WARNED } from './results.ts';

const plain = { width: 110, color: false, shows: 'all' } as const;

describe('the table', () => {
  it('shows a row for each image, a paragraph for each problem and a closing line', () => {
    const text = formatTable([PULLABLE, DENIED, WARNED], plain);

    assert.equal(
      text,
      `      IMAGE                        OBJECT                          RESULT
ok    nginx:1.29                                                   the nodes can pull it: sha256:0123456789ab,
                                                                   30 MiB compressed, for linux/amd64,
                                                                   linux/arm64
DENY  reg.example:5000/team/app:1  Deployment/shop/web container   tag "1" does not exist in the registry
                                   "web"
warn  reg.example:5000/team/app:1  Deployment/shop/web init        reg.example:5000 wants a login, and the Pod
                                   container "migrate"             has no pull secret for it

DENY  reg.example:5000/team/app:1
    where     Deployment/shop/web container "web", spec.template.spec.containers[0].image, deploy/web.yaml:12
    cause     tag "1" does not exist in the registry
    evidence  HEAD https://reg.example:5000/v2/team/app/manifests/1 answered 404 MANIFEST_UNKNOWN as pull
              secret "ci"
    remedy    Push the tag, or name one that exists (it has 1.0, 1.1)

warn  reg.example:5000/team/app:1
    where     Deployment/shop/web init container "migrate", spec.template.spec.initContainers[0].image
    cause     reg.example:5000 wants a login, and the Pod has no pull secret for it
    evidence  HEAD https://reg.example:5000/v2/team/app/manifests/1 answered 401 UNAUTHORIZED without
              credentials
    doubt     not certain, because nodes may hold credentials of their own (policy nodes.credentialProviders)
    remedy    Create a pull secret for reg.example:5000 in the Pod's namespace and name it in
              imagePullSecrets: kubectl create secret docker-registry NAME --docker-server=reg.example:5000
              --docker-username=USER --docker-password=PASSWORD
    also      Pull secret "ci" does not exist in this namespace: the kubelet pulls without it; create it, or
              take it out of imagePullSecrets

3 images: 1 pullable, 1 denied, 1 warned
`,
    );
  });

  it('puts the cells below each other on a narrow terminal', () => {
    const text = formatTable([PULLABLE, DENIED], { ...plain, width: 40 });

    assert.equal(
      text.split('\n\n')[0],
      `ok    nginx:1.29
      the nodes can pull it:
      sha256:0123456789ab, 30 MiB
      compressed, for linux/amd64,
      linux/arm64
DENY  reg.example:5000/team/app:1
      Deployment/shop/web container
      "web"
      tag "1" does not exist in the
      registry`,
    );
  });

  it('leaves out what is well where a person asks for problems alone, and counts it', () => {
    const text = formatTable([PULLABLE, DENIED, SKIPPED], { ...plain, shows: 'problems' });

    assert.match(text, /^ {6}IMAGE .*\nDENY {2}reg\.example/u);
    assert.ok(!text.includes('nginx'));
    assert.match(text, /\n3 images: 1 pullable, 1 denied, 1 not checked\n$/u);
    assert.equal(formatTable([PULLABLE], { ...plain, shows: 'problems' }), '1 image: 1 pullable\n');
  });

  it('tells a problem once for all that have it, and names the first places', () => {
    const places = Array.from({ length: 8 }, (_, at) => ({ ...DENIED, object: `Deployment/shop/web-${at}`, line: at }));
    const text = formatTable([...places, { ...DENIED, image: 'reg.example:5000/team/app:2' }], plain);

    assert.equal(text.match(/^ +cause /gmu)?.length, 2);
    assert.equal(text.match(/, deploy\/web\.yaml:[0-4]$/gmu)?.length, 5);
    assert.match(text, /^ {14}and 3 more$/mu);
  });

  it('is only the closing line where there is nothing to show', () => {
    assert.equal(formatTable([], plain), 'no images\n');
  });

  it('differs in colour by escape codes alone', () => {
    const results = [PULLABLE, DENIED, WARNED, SKIPPED];
    const colored = formatTable(results, { ...plain, color: true });

    assert.ok(colored.includes('\u001b[31mDENY\u001b[0m') && colored.includes('\u001b[32mok\u001b[0m'));
    assert.equal(stripVTControlCharacters(colored), formatTable(results, plain));
  });

  it('is printable ASCII, and no line exceeds the width but for one word, whatever the names', () => {
    fc.assert(
      fc.property(anyResults, fc.integer({ min: 1, max: 200 }), (results, width) => {
        const text = formatTable(results, { ...plain, width });

        assert.match(text, /^[\x20-\x7e\n]*$/u);
        for (const line of text.split('\n')) {
          if (line.length <= Math.max(40, width)) continue;
          const words = line
            .trim()
            .replace(/^(?:where|cause|evidence|doubt|remedy|also|ok|DENY|warn|skip|note)\s+/u, '');
          assert.ok(!words.includes(' '), `${line.length} > ${width}: ${line}`);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('the closing line', () => {
  const ROWS = [
    [[PULLABLE], '1 image: 1 pullable'],
    [[PULLABLE, PULLABLE, DENIED], '3 images: 2 pullable, 1 denied'],
    [[SKIPPED, WARNED], '2 images: 1 warned, 1 not checked'],
    [[{ ...DENIED, action: 'allow' }], '1 image: 1 allowed by the policy'],
  ] as const;
  for (const [results, expected] of ROWS) {
    it(`says "${expected}"`, () => assert.equal(summaryLine(results), expected));
  }
});

describe('wrapping', () => {
  it('loses no word and breaks none', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/u)), fc.integer({ min: 1, max: 40 }), (words, width) => {
        const lines = wrap(words.join(' '), width);

        assert.equal(lines.join(' ').trim(), words.join(' '));
        assert.ok(lines.every((line) => line.length <= width || !line.includes(' ')));
      }),
    );
  });

  it('breaks long words in cells, after a separator where one is near', () => {
    assert.deepEqual(wrapHard('registry.example/team/app:1', 20), ['registry.example/', 'team/app:1']);
    assert.deepEqual(wrapHard('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  });
});
