import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { REGISTRY_ERROR_CODES } from '../../webhook/outcome/outcome.ts';
import { readErrorBody } from '../../webhook/registry/error-body.ts';
import { readToken } from '../../webhook/registry/token-answer.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const none = { isRegistryError: false, code: undefined };

describe('reading error bodies', () => {
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    [
      'a code of the specification',
      { errors: [{ code: 'NAME_UNKNOWN' }] },
      { isRegistryError: true, code: 'NAME_UNKNOWN' },
    ],
    [
      'the first of several',
      { errors: [{ code: 'DENIED' }, { code: 'UNKNOWN' }] },
      { isRegistryError: true, code: 'DENIED' },
    ],
    ['a code of its own', { errors: [{ code: 'PW=hunter2' }] }, { isRegistryError: true, code: undefined }],
    ['a code that is a number', { errors: [{ code: 404 }] }, none],
    ['no errors', { errors: [] }, none],
    ['errors that are no list', { errors: { code: 'DENIED' } }, none],
    ['a list', [{ code: 'DENIED' }], none],
    ['null', 'null', none],
    ['a page', '<html>404</html>', none],
    ['nothing', '', none],
    ['bytes that are no text', '\u0000\u0001', none],
  ];
  for (const [name, body, expected] of cases) {
    it(`takes ${name}`, () => assert.deepEqual(readErrorBody(bytes(body)), expected));
  }

  it('lets no text through but codes of the closed list', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string().map((code) => JSON.stringify({ errors: [{ code }] })),
        ),
        (text) => {
          const { code } = readErrorBody(bytes(text));
          assert.ok(code === undefined || REGISTRY_ERROR_CODES.includes(code));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('reading a token', () => {
  const without = 'the token service did not include a token in its answer';
  const unread = 'the token service answered in JSON that no runtime reads';
  const noJson = 'the token service did not answer in JSON';
  const cases: readonly (readonly [unknown, string | undefined])[] = [
    [{ token: 'abc' }, undefined],
    [{ access_token: 'abc', token: 'old' }, undefined],
    [{ access_token: '', token: 'abc' }, undefined],
    [{ access_token: 7, token: 'abc' }, unread],
    [{ Token: 'abc' }, undefined],
    [{ token: 'abc', expires_in: '60' }, unread],
    [{}, without],
    [[], unread],
    ['null', unread],
    ['"abc"', unread],
    [{ token: ['abc'] }, unread],
    [{ token: 'a\r\nX-Evil: 1' }, without],
    [{ token: 'a b' }, without],
    [{ token: '\u{1F600}' }, without],
    ['{"__proto__":{"token":"abc"}}', without],
    ['<html>', noJson],
    ['', noJson],
  ];
  for (const [body, error] of cases) {
    it(`${error === undefined ? 'finds one in' : 'finds none in'} ${JSON.stringify(body)}`, () => {
      const read = readToken({ bytes: bytes(body), ending: 'whole' }, ['access_token', 'token']);

      assert.deepEqual(
        read,
        error === undefined ? { ok: true, value: { token: 'abc', expiresInSeconds: undefined } } : { ok: false, error },
      );
    });
  }

  it('looks for it under the names that a runtime knows, in its order', () => {
    const both = bytes({ token: 'a', access_token: 'b' });
    const read = (...names: Parameters<typeof readToken>[1]): unknown =>
      readToken({ bytes: both, ending: 'whole' }, names);

    assert.deepEqual(read('token', 'access_token'), { ok: true, value: { token: 'a', expiresInSeconds: undefined } });
    assert.deepEqual(read('access_token'), { ok: true, value: { token: 'b', expiresInSeconds: undefined } });
  });

  it('takes no part of an answer for the whole', () => {
    const error = 'the token service sent more than a token, or broke off';
    for (const ending of ['longer', 'cut'] as const) {
      assert.deepEqual(readToken({ bytes: bytes({ token: 'abc' }), ending }, ['token']), { ok: false, error });
    }
  });
});
