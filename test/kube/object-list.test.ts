import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { KubeApi } from '../../webhook/kube/api.ts';
import { COLLECTIONS, listObjects, resourceOf, type Collection } from '../../webhook/kube/object-list.ts';
import { startFakeApi, type FakeApi } from './fake-api.ts';

const SHOP = '/apis/apps/v1/namespaces/shop/deployments';

function collectionOf(kind: string): Collection {
  const found = COLLECTIONS.find((one) => one.kind === kind);
  assert.ok(found !== undefined);
  return found;
}

describe('listing objects', () => {
  let fake: FakeApi;
  let api: KubeApi;
  let names: readonly string[] = [];
  before(async () => {
    fake = await startFakeApi();
    api = fake.connect();
  });
  after(() => fake.close());
  afterEach(() => {
    fake.failWith(() => undefined);
    for (const name of names) fake.remove(SHOP, name);
  });
  const putMany = (count: number, padding = ''): void => {
    names = Array.from({ length: count }, (_, at) => `web-${at}`);
    for (const name of names) fake.put(SHOP, { metadata: { name, annotations: { padding } } });
  };
  const deployments = { collection: collectionOf('Deployment'), namespace: undefined };
  const pages = (): readonly (readonly [path: string, limit: string | null, next: string | null])[] =>
    fake.requests.map(({ path, query }) => [path, query.get('limit'), query.get('continue')]);

  it('goes page by page, through all namespaces or one', async () => {
    putMany(450);
    let count = 0;
    const from = fake.requests.length;

    const whole = await listObjects(api, deployments, () => (count += 1) > 0);
    const elsewhere = await listObjects(api, { ...deployments, namespace: 'bank' }, () => assert.fail());

    assert.deepEqual(
      [whole, elsewhere, count],
      [{ kind: 'read', isWhole: true }, { kind: 'read', isWhole: true }, 450],
    );
    assert.deepEqual(pages().slice(from), [
      ['/apis/apps/v1/deployments', '200', null],
      ['/apis/apps/v1/deployments', '200', '200'],
      ['/apis/apps/v1/deployments', '200', '400'],
      ['/apis/apps/v1/namespaces/bank/deployments', '200', null],
    ]);
  });

  it('stops where nobody wants more', async () => {
    putMany(450);
    let count = 0;
    const from = fake.requests.length;

    const read = await listObjects(api, deployments, () => (count += 1) < 250);

    assert.deepEqual([read, count, pages().length - from], [{ kind: 'read', isWhole: false }, 250, 2]);
  });

  it('asks for fewer at a time where a page is too large', async () => {
    putMany(24, 'x'.repeat(1_500_000));
    let count = 0;
    const from = fake.requests.length;

    const read = await listObjects(api, deployments, () => (count += 1) > 0);

    assert.deepEqual([read, count], [{ kind: 'read', isWhole: true }, 24]);
    assert.deepEqual(
      pages()
        .slice(from)
        .map(([, limit, next]) => `${limit} ${next}`),
      ['200 null', '10 null', '200 10'],
    );
  });

  const failures: readonly (readonly [fault: number | 'reset', read: object])[] = [
    [403, { kind: 'forbidden' }],
    [404, { kind: 'missing' }],
    [410, { kind: 'unavailable', reason: 'answered 410' }],
    ['reset', { kind: 'unavailable', reason: 'could not be asked (UND_ERR_SOCKET)' }],
  ];
  for (const [fault, expected] of failures) {
    it(`says how it failed: ${fault}`, async () => {
      fake.failWith(() => fault);

      assert.deepEqual(await listObjects(api, deployments, () => true), expected);
    });
  }

  it('names resources as a rule about rights does', () => {
    assert.deepEqual(
      ['Pod', 'CronJob'].map((kind) => resourceOf(collectionOf(kind))),
      ['pods', 'cronjobs.batch'],
    );
  });
});
