/** A client that goes away after each byte of what it has to say: its letter is there, whole, or nothing is. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeDoors, openDoor, until, type OpenDoor } from '../ingress/smtp/open-door.ts';

afterEach(closeDoors);

const data = 'Subject: hi\r\n\r\nhello\r\n..\r\n.\r\n';
const words = `EHLO c.test\r\nMAIL FROM:<ann@far.test>\r\nRCPT TO:<joe@demo.test>\r\nDATA\r\n${data}QUIT\r\n`;
/** With this many bytes the final dot has been said. */
const complete = words.indexOf('QUIT');

/** Says so many bytes, goes, and waits until the door has let go of it. */
async function leaveAfter(door: OpenDoor, bytes: number, how: 'end' | 'reset'): Promise<void> {
  const client = await door.dial();
  await client.reply();
  client.raw(words.slice(0, bytes));
  if (how === 'end') client.socket.end();
  else client.socket.resetAndDestroy();
  await until(() => door.door.connections === 0);
  client.hangUp();
}

describe('a client that goes away', () => {
  it('by ending its side after any byte has left one whole letter, or none', async () => {
    const door = await openDoor();
    for (let bytes = 0; bytes <= words.length; bytes += 1) {
      door.intake.letters.length = 0;
      await leaveAfter(door, bytes, 'end');
      const bodies = door.intake.letters.map(({ body }) => body.slice(body.indexOf('Subject')));
      const wanted = bytes < complete ? [] : ['Subject: hi\r\n\r\nhello\r\n.\r\n'];
      expect({ bytes, bodies }).toEqual({ bytes, bodies: wanted });
    }
    // All that was begun came to an end: nothing waits for a client that is gone.
    const whole = words.length - complete + 1;
    expect(door.intake.begun).toBe(door.intake.abandoned + whole);
    expect(door.intake.abandoned).toBeGreaterThan(data.length - 2);
  });

  it('by a reset after any byte has left one whole letter, or none', async () => {
    const door = await openDoor();
    for (let bytes = 0; bytes <= words.length; bytes += 1) {
      const before = door.intake.letters.length;
      await leaveAfter(door, bytes, 'reset');
      // A reset may overtake what was said before it.
      await until(() => door.intake.begun === door.intake.abandoned + door.intake.letters.length);
      const came = door.intake.letters.slice(before);
      expect(came.length).toBeLessThanOrEqual(bytes < complete ? 0 : 1);
      for (const { body } of came) expect(body.endsWith('hello\r\n.\r\n')).toBe(true);
    }
  });
});
