/** One letter's story: everything that happened to it, oldest first. */
import type { Cell, Given, Happening, Question } from '../src/ask/ports.ts';
import type { Instant } from '../src/platform/clock.ts';
import { messageStream, type Tried } from '../src/queue/events.ts';

type Step = readonly Cell[];

export type Story = { readonly stream: string; readonly steps: Step[]; birth: Instant };

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const question: Question<Story> = {
  title: "One letter's story",
  about:
    'every event of one letter: when, how old the letter was, what happened, to whom, and what was said',
  bounds: 'the events of that letter',
  options: { id: { kind: 'text', about: 'the whole id of the letter', required: true } },
  streamOf: ({ id }) => messageStream(String(id).toLowerCase()),
  empty({ id }: Given): Story {
    const message = String(id).toLowerCase();
    if (!idPattern.test(message)) throw new Error('id must be the whole id of a letter');
    return { stream: messageStream(message), steps: [], birth: NaN };
  },
  fold(story: Story, event: Happening) {
    if (event.stream !== story.stream) return story;
    if (event.type === 'MessageAccepted') story.birth = event.at;
    const [what, attempt, recipient, said] = tell(event);
    const { at, position } = event;
    story.steps.push([position, at, at - story.birth, what, attempt, recipient, said]);
    return story;
  },
  answer: ({ steps }) => ({
    kind: 'table',
    columns: [
      { name: 'position', format: 'count' },
      { name: 'at', format: 'instant' },
      { name: 'age', format: 'span' },
      { name: 'what' },
      { name: 'attempt', format: 'count' },
      { name: 'recipient' },
      { name: 'said' },
    ],
    rows: [...steps],
    notes: steps.length === 0 ? ['nothing is known of this letter'] : [],
  }),
};
export const { empty, fold } = question;

type Told = readonly [
  what: string,
  attempt: number | undefined,
  recipient: string | undefined,
  said: string,
];

function tell(event: Happening): Told {
  switch (event.type) {
    case 'MessageAccepted': {
      const { envelope, body, arrival } = event.data;
      const to = envelope.recipients.length === 1 ? `<${envelope.recipients[0]}>` : undefined;
      const from = `from <${envelope.returnPath}>, ${body.bytes} bytes, by ${arrival.protocol}`;
      return ['accepted', undefined, to, from];
    }
    case 'MessageAdopted':
      return ['adopted', undefined, undefined, `by node ${event.data.by}`];
    case 'MessageQueued':
      return ['queued', undefined, undefined, event.data.routes.map(({ rule }) => rule).join('; ')];
    case 'AttemptStarted': {
      const { attempt, rcpts, routes } = event.data;
      const to = rcpts.length === 1 ? `<${routes[0]?.address}>` : `${rcpts.length} recipients`;
      return [
        'attempt',
        attempt,
        to,
        routes[0] === undefined ? '' : `${routes[0].channel} ${routes[0].hop.host}`,
      ];
    }
    case 'RecipientDelivered':
      return tried('delivered', event.data);
    case 'RecipientDeferred':
      return tried('deferred', event.data);
    case 'RecipientFailed':
      return tried('failed', event.data);
    case 'RecipientCancelled':
      return ['cancelled', undefined, `<${event.data.address}>`, hand(event.data)];
    case 'RecipientRedirected':
      return ['redirected', undefined, `<${event.data.to}>`, hand(event.data)];
    case 'RetryRequested':
      return ['retry asked for', undefined, undefined, hand(event.data)];
    case 'MessageHeld':
      return ['held', undefined, undefined, hand(event.data)];
    case 'MessageReleased':
      return ['released', undefined, undefined, hand(event.data)];
    case 'MessageSettled':
      return ['settled', undefined, undefined, `${event.data.failed.length} recipients failed`];
    case 'BounceQueued':
      return [event.data.kind, undefined, `<${event.data.to}>`, `as letter ${event.data.child}`];
    case 'BounceDiscarded':
      return ['no bounce', undefined, undefined, event.data.why];
    case 'MessageCleanedUp':
      return ['cleaned up', undefined, undefined, ''];
    default:
      return [event.type, undefined, undefined, ''];
  }
}

const tried = (what: string, { attempt, address, reply }: Tried): Told => [
  ...([what, attempt, `<${address}>`, reply.text] as const),
];

const hand = ({ by, why }: { readonly by: string; readonly why: string }): string =>
  why === '' ? by : `${by}: ${why}`;
