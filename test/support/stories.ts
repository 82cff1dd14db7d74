/** All letters' stories after a bad week, and what must be true of them together. */
import { expect } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { birth } from './queue-mail.ts';
import { asQueueEvent } from './random-letters.ts';

export type Story = readonly QueueEvent[];

export function storiesOf(events: readonly RecordedEvent[]): Map<MessageId, Story> {
  const stories = new Map<MessageId, QueueEvent[]>();
  for (const event of events) {
    const id = event.stream.slice('message-'.length);
    stories.set(id, [...(stories.get(id) ?? []), asQueueEvent(event)]);
  }
  return stories;
}

/** For whoever reads of a bad week. */
export const told = (story: Story): string =>
  story.map(({ type, at, data }) => `${at - birth} ${type} ${JSON.stringify(data)}`).join('\n');

/** Every take of the far side is either the delivery we recorded or an attempt that we said was in doubt. */
export function checkTaken(
  taken: ReadonlyMap<string, number>,
  id: MessageId,
  story: Story,
  recipients: number,
): void {
  for (let rcpt = 0; rcpt < recipients; rcpt += 1) {
    const mine = story.filter(({ data }) => 'rcpt' in data && data.rcpt === rcpt);
    const recorded = mine.filter(({ type }) => type === 'RecipientDelivered').length;
    const doubts = mine.filter(({ data }) => 'doubt' in data && data.doubt === true).length;
    const times = taken.get(`${id}/${rcpt}`) ?? 0;
    if (times < recorded) throw new Error(`${id}/${rcpt} delivered without having been`);
    if (times > recorded + doubts)
      throw new Error(`${id}/${rcpt} taken ${times} times, and no doubt said`);
  }
}

export function checkBounces(stories: ReadonlyMap<MessageId, Story>): void {
  const children = new Map<string, number>();
  for (const [accepted] of stories.values()) {
    if (accepted?.type !== 'MessageAccepted' || accepted.data.parent === undefined) continue;
    const { message, why } = accepted.data.parent;
    if (why !== 'forward') children.set(message, (children.get(message) ?? 0) + 1);
  }
  for (const [id, story] of stories) {
    const settled = story.some(({ type }) => type === 'MessageSettled');
    const queued = story.filter(({ type }) => type === 'BounceQueued').length;
    const discarded = story.filter(({ type }) => type === 'BounceDiscarded').length;
    expect([id, queued + discarded]).toEqual([id, settled ? 1 : 0]);
    expect([id, children.get(id) ?? 0]).toEqual([id, queued]);
  }
}

export function checkForwards(stories: ReadonlyMap<MessageId, Story>): void {
  const named = [...stories.values()]
    .flat()
    .flatMap((event) => (event.type === 'RecipientDelivered' ? (event.data.children ?? []) : []));
  for (const child of named) expect(stories.get(child)?.[0]?.type).toBe('MessageAccepted');
  expect(new Set(named).size).toBe(named.length);
}
