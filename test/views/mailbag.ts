/** Random but repeatable mail in a real log, with replies and addresses worth searching for. */
import type { MessageId } from '../../src/mail/envelope.ts';
import type { Outcome } from '../../src/mail/verdict.ts';
import type { Office } from '../trace/office.ts';

const senders = ['joe@here.test', 'Ann@Far.test', '', 'a"b c@far.test', 'jön@here.test'];
const recipients = ['bob@b.test', 'eve@c.test', 'bob@c.test', 'ZOE@b.test', "o'neil@b.test"];
const replies = [
  '192.0.2.7 accepted message.\nRemote host said: 250 ok queued as 4F2B1C9\n',
  '451 4.7.1 <bob@b.test>: Greylisted, try again in 300 seconds\n',
  "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n",
  '550 5.1.1 no such user "x1y2z3w4"\n',
];

export type Choice = () => number;

/** Numbers from 0 up to 1, the same for the same seed. */
export function chooser(seed: number): Choice {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Does `steps` things to new and old letters. */
export async function shuffle(
  office: Office,
  ids: MessageId[],
  steps: number,
  choice: Choice,
): Promise<void> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(choice() * list.length)]!;
  for (let step = 0; step < steps; step += 1) {
    office.clock.advance(Math.floor(choice() * 120_000));
    if (ids.length === 0 || choice() < 0.4) {
      const count = choice() < 0.1 ? 70 : 1 + Math.floor(choice() * 3);
      const to = Array.from({ length: count }, () => pick(recipients));
      const parent = choice() < 0.2 && ids.length > 0 ? pick(ids) : undefined;
      const more =
        parent === undefined ? {} : { parent: { message: parent, why: 'bounce' as const } };
      ids.push(await office.accept(to, { returnPath: pick(senders), ...more }));
      continue;
    }
    await happen(office, pick(ids), choice, pick);
  }
}

async function happen(
  office: Office,
  id: MessageId,
  choice: Choice,
  pick: <T>(list: readonly T[]) => T,
): Promise<void> {
  const at = office.clock.now();
  const hand = { by: 'ann', why: 'a test', at };
  const kind = choice();
  if (kind < 0.08) await office.do(id, { type: 'Hold', ...hand });
  else if (kind < 0.14) await office.do(id, { type: 'Release', ...hand });
  else if (kind < 0.2) await office.do(id, { type: 'Cancel', ...hand });
  else if (kind < 0.26) await office.do(id, { type: 'Retry', ...hand });
  else {
    const { recipients: all } = await office.stateOf(id);
    const open = all.flatMap(({ status }, rcpt) => (status === 'waiting' ? [rcpt] : []));
    if (open.length === 0) return;
    const rcpts = open.slice(0, 1 + Math.floor(choice() * open.length));
    const outcomes = rcpts.map((rcpt): Outcome => ({
      ...{ rcpt, kind: pick(['delivered', 'deferred', 'failed'] as const) },
      reply: {
        text: pick(replies),
        host: 'mx.b.test',
        address: pick(['192.0.2.7', '2001:db8::7']),
      },
    }));
    await office.attempt(id, rcpts, choice() < 0.1 ? [] : outcomes);
  }
}
