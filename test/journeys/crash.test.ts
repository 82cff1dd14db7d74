/** PIC: whatever is killed, nothing that got a 250 is lost. The long form is `npm run torture`. */
import { describe, expect, it } from '@jest/globals';
import { torture } from '../support/torture.ts';

describe('a letter that got a 250', () => {
  it('is delivered, bounced or queued, whoever is killed meanwhile', async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const accounts = await torture({ kills: 12, sessions: 8, seed });
    const said = { seed, ...accounts, verify: accounts.verify.code };
    expect({ ...said, lost: accounts.lost, unexplained: accounts.unexplained }).toMatchObject({
      lost: [],
      unexplained: [],
      verify: 0,
    });
    expect(accounts.accepted).toBeGreaterThan(50);
    expect(accounts.delivered).toBeGreaterThan(0);
  }, 180_000);
});
