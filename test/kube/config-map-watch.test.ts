import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { readConfigMap, watchConfigMap, type ConfigMapData } from '../../webhook/kube/config-map-watch.ts';
import { startFakeApi, type FakeApi } from './fake-api.ts';
import { until } from './until.ts';

const MAPS = '/api/v1/namespaces/pullguard/configmaps';
const backoff = { firstMs: 5, maxMs: 20 };

describe('watching a ConfigMap', () => {
  let fake: FakeApi;
  let watch: { close(): Promise<void> } | undefined;
  let seen: (string | undefined)[] = [];
  let failures: string[] = [];
  before(async () => {
    fake = await startFakeApi();
  });
  after(() => fake.close());
  afterEach(async () => {
    await watch?.close();
    fake.failWith(() => undefined);
    fake.remove(MAPS, 'policy');
    seen = [];
    failures = [];
  });
  const put = (text: string): void => fake.put(MAPS, { metadata: { name: 'policy' }, data: { 'policy.yaml': text } });
  const start = (
    options: { readonly refreshMs?: number; readonly onChange?: (data?: ConfigMapData) => void } = {},
  ): void => {
    watch = watchConfigMap({
      api: fake.connect(),
      namespace: 'pullguard',
      name: 'policy',
      onChange: (data) => {
        seen.push(data?.['policy.yaml']);
        options.onChange?.(data);
      },
      onFailure: (reason) => failures.push(reason),
      backoff,
      refreshMs: options.refreshMs ?? 3_600_000,
    });
  };
  const watches = (): number => fake.requests.filter(({ query }) => query.get('watch') === 'true').length;
  const untilWatched = async (): Promise<void> => {
    const before = watches();
    start();
    await until(() => watches() > before && seen.length > 0, 'an open watch');
  };

  it('tells what is there, each change, and that it is gone', async () => {
    put('one');
    await untilWatched();
    put('two');
    await until(() => seen.length === 2, 'the change');
    fake.remove(MAPS, 'policy');
    await until(() => seen.length === 3, 'the removal');
    put('three');
    await until(() => seen.length === 4, 'the return');

    assert.deepEqual(seen, ['one', 'two', undefined, 'three']);
  });
  it('says at once that there is none', async () => {
    await untilWatched();

    assert.deepEqual(seen, [undefined]);
  });
  it('asks for this one alone', async () => {
    put('one');
    await untilWatched();

    const asked = fake.requests.filter(({ path }) => path.startsWith(MAPS)).slice(-2);
    assert.deepEqual(
      asked.map(({ path, query }) => [path, query.get('fieldSelector')]),
      [
        [MAPS, 'metadata.name=policy'],
        [MAPS, 'metadata.name=policy'],
      ],
    );
  });
  it('goes on after its connection was reset', async () => {
    put('one');
    await untilWatched();
    const before = watches();

    fake.reset();
    await until(() => watches() > before, 'a second watch');
    put('two');
    await until(() => seen.length === 2, 'the change');

    assert.deepEqual(seen, ['one', 'two']);
    assert.match(failures[0] ?? '', /^ConfigMap pullguard\/policy: the API server could not be asked/u);
  });
  it('goes on after the API server failed for a while', async () => {
    let answers = 0;
    fake.failWith(() => (answers++ < 3 ? 500 : undefined));
    put('one');

    await untilWatched();

    assert.deepEqual(seen, ['one']);
    assert.equal(failures.length, 3);
    assert.match(failures[0] ?? '', /the API server answered 500$/u);
  });
  it('finds by reading again what the watch did not tell', async () => {
    put('one');
    fake.failWith(({ query }) => (query.get('watch') === 'true' ? 'hang' : undefined));
    start({ refreshMs: 20 });
    await until(() => seen.length === 1, 'the first content');

    put('two');
    await until(() => seen.length === 2, 'the second content');
    fake.remove(MAPS, 'policy');
    await until(() => seen.length === 3, 'the removal');

    assert.deepEqual(seen, ['one', 'two', undefined]);
  });
  it('outlives a callback that throws', async () => {
    put('one');
    start({
      onChange: (data) => {
        if (data?.['policy.yaml'] === 'one') throw new Error('taint');
      },
    });
    await until(() => failures.length === 1, 'the failure');
    put('two');
    await until(() => seen.length === 2, 'the change');

    assert.deepEqual(failures, ['ConfigMap pullguard/policy: its new content could not be taken over']);
  });
  it('is silent after it was closed', async () => {
    put('one');
    await untilWatched();

    await watch?.close();
    await watch?.close();
    put('two');
    const read = await readConfigMap(fake.connect(), 'pullguard', 'policy');

    assert.deepEqual(read, { kind: 'found', data: { 'policy.yaml': 'two' } });
    assert.deepEqual(seen, ['one']);
  });
});
