import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isGoTime } from '../../webhook/image/go-time.ts';

describe('a time as Go reads it', () => {
  const READ = [
    '1970-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '2024-02-29T23:59:59.123456789Z',
    '2000-02-29T00:00:00+01:00',
    '2024-02-01T00:00:00,5Z',
    '2024-02-01T7:00:00Z',
    '2024-02-01T00:00:00-24:60',
  ];
  for (const text of READ) it(`is ${text}`, () => assert.equal(isGoTime(text), true));

  const UNREAD = [
    '',
    'yesterday',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-32T00:00:00Z',
    '2024-02-01T24:00:00Z',
    '2024-02-01T00:60:00Z',
    '2016-12-31T23:59:60Z',
    '2024-02-01T00:00:00+25:00',
    '2024-02-01T00:00:00',
    '2024-02-01 00:00:00Z',
    '2024-02-01t00:00:00z',
    '10000-01-01T00:00:00Z',
    '2024-02-01T00:00:00.Z',
  ];
  for (const text of UNREAD) it(`is not ${JSON.stringify(text)}`, () => assert.equal(isGoTime(text), false));
});
