/** What a person reads of an event store's errors: one sentence, and nothing of gRPC's own. */
import { describe, expect, it } from '@jest/globals';
import { toTrouble, wordsOf } from '../../../src/log/kurrentdb/what-went-wrong.ts';

const noConnection = (lastError: string, note = ''): string =>
  `14 UNAVAILABLE: No connection established. Last error: ${lastError}. Resolution note: ${note}`;

describe('an error of the event store', () => {
  it.each([
    [
      { code: 14, message: noConnection('Error: connect ECONNREFUSED 127.0.0.1:2113') },
      'no connection: 127.0.0.1:2113 refuses the connection',
    ],
    [
      { code: 14, message: noConnection('Error: connect ETIMEDOUT 192.0.2.7:2113', 'a\nb') },
      'no connection: 192.0.2.7:2113 does not answer',
    ],
    [{ code: 14, message: noConnection('null') }, 'no connection'],
    [
      { code: 14, message: '14 UNAVAILABLE: Name resolution failed for target dns:db.test:2113' },
      'no address is known of db.test:2113',
    ],
    [{ message: 'Failed to discover after 10 attempts.' }, 'no node of the cluster answers'],
    [{ type: 'unavailable', message: 'UnavailableError' }, 'it does not answer'],
    [
      { type: 'timeout', message: 'Append timed out.\r\nagain' },
      'timeout: Append timed out. again',
    ],
    [{}, 'no words'],
  ])('%j is one sentence', (cause, expected) => {
    expect(wordsOf(cause)).toBe(expected);
    expect(toTrouble('reading the log', cause).message).toBe(`reading the log: ${expected}`);
  });

  it('holds no byte that a terminal would obey, nor an endless line', () => {
    const told = wordsOf({ type: 'x', message: `\u001b[2J\u202e${'y'.repeat(5_000)}` });
    expect(told).toMatch(/^[ -~]{1,320}$/);
  });
});
