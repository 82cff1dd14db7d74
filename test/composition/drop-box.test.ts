/** Letters of the drop box in the queue: each is one letter, however often its file is taken. */
import { expect, it } from '@jest/globals';
import { directIntake } from '../../src/composition/links/direct-intake.ts';
import { parseControls } from '../../src/control/controls.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { deriveMessageId } from '../../src/mail/message-id.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { openBodies } from '../../src/queue/bodies.ts';
import { messageStream } from '../../src/queue/events.ts';
import { queueIntake } from '../../src/queue/intake.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { toRoutingRules } from '../../src/queue/routing.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';

it.each([
  ['small', 100],
  ['large', 200_000],
])(
  'a %s letter that was accepted before a stop is not accepted again after it',
  async (_, size) => {
    const bodies = new Map<string, Uint8Array>();
    const log = new MemoryLog(bodies);
    const spool = memorySpool(bodies);
    const clock = new ManualClock();
    const droppedAt = clock.now() - 1_000;
    const routing = toRoutingRules(parseControls({ me: 'here.test\n' }).controls);
    const accept = async (): Promise<string> => {
      // Memory of what was is gone with the process.
      const letters = openLetters({ log });
      const rules = () => ({ routing, digest: 'rules' });
      const queue = queueIntake({ letters, bodies: openBodies(spool), rules, clock });
      const id = deriveMessageId(droppedAt, Buffer.alloc(32, 7));
      const letter = directIntake({ queue, spool, clock }).begin(id);
      await letter.write(Buffer.alloc(size, 'x'));
      return letter.accept(
        { returnPath: 'a@b.test', recipients: ['c@d.test'] },
        { protocol: 'local' },
      );
    };
    const id = await accept();
    clock.advance(5);
    expect(await accept()).toBe(id);
    const events = await log.readStream(messageStream(id));
    expect(events.map(({ type }) => type)).toEqual(['MessageAccepted', 'MessageQueued']);
  },
);
