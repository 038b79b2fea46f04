import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayRunOn, readPlacement, type NodeShape } from '../../webhook/admission/placement.ts';

const taint = (key: string, effect: string, value = ''): NodeShape['taints'][number] => ({ key, value, effect });
const node = (name: string, labels: Readonly<Record<string, string>>, rest: Partial<NodeShape> = {}): NodeShape => ({
  name,
  isSchedulable: true,
  labels: new Map(Object.entries(labels)),
  taints: [],
  ...rest,
});
const NODES: readonly NodeShape[] = [
  node('plain', {}),
  node('gpu', { pool: 'gpu', cards: '4' }, { taints: [taint('pool', 'NoSchedule', 'gpu')] }),
  node('big', { pool: 'big', cards: '0' }, { taints: [taint('noisy', 'PreferNoSchedule')] }),
  node('cordoned', { pool: 'big' }, { isSchedulable: false }),
  node('gone', { pool: 'big' }, { taints: [taint('node.kubernetes.io/unreachable', 'NoExecute')] }),
];
const requiring = (...terms: readonly unknown[]): unknown => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
  tolerations: [{ key: 'pool', value: 'gpu' }],
});
const expression = (key: string, operator: string, ...values: readonly string[]): unknown => ({
  matchExpressions: [{ key, operator, values }],
});

describe('the Nodes that a Pod may land on', () => {
  const cases: readonly (readonly [title: string, spec: unknown, names: readonly string[]])[] = [
    ['those without a taint, where it says nothing', {}, ['plain', 'big']],
    ['those with its labels', { nodeSelector: { pool: 'big' } }, ['big']],
    ['no other, though they have the labels', { nodeSelector: { pool: 'gpu' } }, []],
    ['those whose taint it tolerates', { tolerations: [{ key: 'pool', value: 'gpu' }] }, ['plain', 'gpu', 'big']],
    [
      'not those with another value',
      { tolerations: [{ key: 'pool', operator: 'Equal', value: 'x' }] },
      ['plain', 'big'],
    ],
    [
      'those with any value',
      { tolerations: [{ key: 'pool', operator: 'Exists', effect: 'NoSchedule' }] },
      ['plain', 'gpu', 'big'],
    ],
    [
      'not those with another effect',
      { tolerations: [{ key: 'pool', operator: 'Exists', effect: 'NoExecute' }] },
      ['plain', 'big'],
    ],
    [
      'all, cordoned or not, where it tolerates everything',
      { tolerations: [{ operator: 'Exists' }] },
      ['plain', 'gpu', 'big', 'cordoned', 'gone'],
    ],
    ['the one that it is bound to', { nodeName: 'gone', nodeSelector: { pool: 'x' } }, ['gone']],
    ['one of several values', requiring(expression('pool', 'In', 'gpu', 'big')), ['gpu', 'big']],
    ['none of several values', requiring(expression('pool', 'NotIn', 'gpu')), ['plain', 'big']],
    ['with a label', requiring(expression('pool', 'Exists')), ['gpu', 'big']],
    ['without a label', requiring(expression('pool', 'DoesNotExist')), ['plain']],
    ['with more', requiring(expression('cards', 'Gt', '2')), ['gpu']],
    ['with less', requiring(expression('cards', 'Lt', '2')), ['big']],
    ['with more than no number', requiring(expression('cards', 'Gt', 'x')), []],
    ['by an operator that nobody knows', requiring(expression('pool', 'Like', 'g')), []],
    ['by name', requiring({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['plain'] }] }), ['plain']],
    [
      'by either term',
      requiring(expression('pool', 'In', 'gpu'), expression('pool', 'DoesNotExist')),
      ['plain', 'gpu'],
    ],
    ['by no empty term', requiring({}), []],
    ['by no term at all', requiring(), []],
    [
      'by what is preferred',
      { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [1] } } },
      ['plain', 'big'],
    ],
  ];
  for (const [title, spec, names] of cases) {
    it(`are ${title}`, () => {
      const placement = readPlacement('Pod', spec);

      assert.deepEqual(
        NODES.filter((one) => mayRunOn(placement, one)).map(({ name }) => name),
        names,
      );
    });
  }

  it('are the cordoned ones too for a DaemonSet', () => {
    const placement = readPlacement('DaemonSet', { nodeSelector: { pool: 'big' } });

    assert.deepEqual(
      NODES.filter((one) => mayRunOn(placement, one)).map(({ name }) => name),
      ['big', 'cordoned'],
    );
  });

  it('are all that are not cordoned where it says more than anybody would', () => {
    const many = Array.from({ length: 2000 }, (_, at) => `label-${at}`);
    const specs = [
      { nodeSelector: Object.fromEntries(many.map((label) => [label, 'x'])) },
      requiring(...many.map((label) => expression(label, 'Exists'))),
      requiring({ matchExpressions: many.map((key) => ({ key, operator: 'Exists' })) }),
      requiring(expression('pool', 'In', ...many)),
      { tolerations: many.map((key) => ({ key, operator: 'Exists' })) },
    ];

    for (const spec of specs) {
      const placement = readPlacement('Pod', spec);

      assert.equal(placement, undefined);
      assert.equal(NODES.filter((one) => mayRunOn(placement, one)).length, 4);
    }
  });

  it('are none by a name or a value of a megabyte', () => {
    const long = 'x'.repeat(1024 * 1024);
    const placements = [
      { nodeName: long },
      { nodeSelector: { pool: long } },
      requiring(expression('pool', 'In', long)),
    ];

    for (const spec of placements) {
      const placement = readPlacement('Pod', spec);

      assert.ok(JSON.stringify(placement).length < 1000);
      assert.equal(NODES.filter((one) => mayRunOn(placement, one)).length, 0);
    }
  });

  it('are read from anything without a throw', () => {
    for (const spec of [null, 1, [], { nodeSelector: [] }, { tolerations: [null, 1] }, requiring(null, 1)]) {
      assert.doesNotThrow(() => NODES.map((one) => mayRunOn(readPlacement('Pod', spec), one)));
    }
  });
});
