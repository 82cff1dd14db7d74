/** What is in the queue: letter by letter, or added up by destination, age, sender or what was said last. */
import type { Answer, Asked, Given, Happening, Question } from '../src/ask/ports.ts';
import type { MessageId, RecipientNo } from '../src/mail/envelope.ts';
import type { Instant } from '../src/platform/clock.ts';
import { messageOf, type Route } from '../src/queue/events.ts';

export type Waiting = {
  address: string;
  channel: string;
  /** Of the next hop; `''` for local deliveries. */
  host: string;
  state: 'waiting' | 'attempting' | 'done';
  dueAt: Instant;
  tries: number;
};

export type Letter = {
  readonly birth: Instant;
  readonly bytes: number;
  readonly sender: string;
  recipients: Waiting[];
  open: number;
  held: boolean;
};

export type Contents = {
  readonly by: string;
  readonly limit: number;
  readonly letters: Map<MessageId, Letter>;
};

export const question: Question<Contents> = {
  title: 'What is in the queue',
  about: 'every recipient that is not done, or how many there are by destination, age or sender',
  bounds: 'letters that are not done: about 250 bytes each and 150 per recipient',
  options: {
    by: {
      kind: ['recipient', 'destination', 'age', 'sender'],
      about: 'recipient by recipient, or added up by',
      default: 'recipient',
    },
    limit: { kind: 'number', about: 'at most so many rows', default: '1000' },
  },
  learns: true,
  hears: [
    'MessageAccepted',
    'MessageQueued',
    'AttemptStarted',
    'RecipientDelivered',
    'RecipientDeferred',
    'RecipientFailed',
    'RecipientCancelled',
    'RecipientRedirected',
    'RetryRequested',
    'RetryAllRequested',
    'MessageHeld',
    'MessageReleased',
    'MessageCleanedUp',
  ],
  empty: ({ by, limit }: Given): Contents => ({
    ...{ by: String(by ?? 'recipient'), limit: Number(limit ?? 1000), letters: new Map() },
  }),
  fold(contents: Contents, event: Happening) {
    const message = messageOf(event.stream);
    if (message !== undefined) foldLetter(contents, message, event);
    else if (event.type === 'RetryAllRequested') {
      for (const letter of contents.letters.values()) retryAll(letter, event.at);
    }
    return contents;
  },
  answer: (contents, asked) => answers[contents.by]!(contents, asked),
};
export const { empty, fold } = question;

function foldLetter({ letters }: Contents, message: MessageId, event: Happening): void {
  if (event.type === 'MessageAccepted') {
    const { envelope, body } = event.data;
    const { at: birth } = event;
    const facts = { birth, bytes: body.bytes, sender: envelope.returnPath };
    letters.set(message, { ...facts, recipients: [], open: 0, held: false });
    return;
  }
  const letter = letters.get(message);
  if (letter === undefined) return;
  foldKnown(letter, event);
  if (event.type === 'MessageCleanedUp') letters.delete(message);
}

function foldKnown(letter: Letter, event: Happening): void {
  switch (event.type) {
    case 'MessageQueued':
      letter.recipients = event.data.routes.map((route) => waits(route, event.at));
      letter.open = letter.recipients.length;
      break;
    case 'AttemptStarted':
      event.data.rcpts.forEach((rcpt, index) => {
        const waiting = letter.recipients[rcpt];
        const route = event.data.routes[index];
        if (waiting === undefined || waiting.state === 'done' || route === undefined) return;
        const { tries, dueAt } = waiting;
        letter.recipients[rcpt] = { ...waits(route, dueAt), tries: tries + 1, state: 'attempting' };
      });
      break;
    case 'RecipientDeferred': {
      const waiting = letter.recipients[event.data.rcpt];
      if (waiting === undefined || waiting.state === 'done') break;
      waiting.state = 'waiting';
      waiting.dueAt = event.data.dueAt;
      break;
    }
    case 'RecipientDelivered':
    case 'RecipientFailed':
    case 'RecipientCancelled': {
      const waiting = letter.recipients[event.data.rcpt];
      if (waiting === undefined || waiting.state === 'done') break;
      waiting.state = 'done';
      letter.open -= 1;
      break;
    }
    case 'RecipientRedirected': {
      const waiting = letter.recipients[event.data.rcpt];
      if (waiting !== undefined) waiting.address = event.data.to;
      makeDue(letter, [event.data.rcpt], event.at);
      break;
    }
    case 'RetryRequested':
      makeDue(letter, event.data.rcpts, event.at);
      break;
    case 'MessageHeld':
    case 'MessageReleased':
      letter.held = event.type === 'MessageHeld';
      break;
    default:
  }
}

const waits = ({ address, channel, hop }: Route, dueAt: Instant): Waiting => ({
  ...{ address, channel, dueAt, state: 'waiting', tries: 0 },
  host: channel === 'local' ? '' : (hop.relay?.host ?? hop.host),
});

function makeDue(letter: Letter, rcpts: readonly RecipientNo[], at: Instant): void {
  for (const rcpt of rcpts) {
    const waiting = letter.recipients[rcpt];
    if (waiting?.state === 'waiting') waiting.dueAt = at;
  }
}

/** What is due already stays due since then. */
function retryAll({ recipients }: Letter, at: Instant): void {
  for (const waiting of recipients) {
    if (waiting.state === 'waiting') waiting.dueAt = Math.min(at, waiting.dueAt);
  }
}

const stateOf = ({ held }: Letter, { state }: Waiting): string =>
  held && state === 'waiting' ? 'held' : state;

/** Every recipient that is not done. */
export function* openOf({ letters }: Contents): Generator<[MessageId, Letter, Waiting]> {
  for (const [message, letter] of letters) {
    if (letter.open === 0) continue;
    for (const waiting of letter.recipients)
      if (waiting.state !== 'done') yield [message, letter, waiting];
  }
}

const answers: { readonly [by: string]: (contents: Contents, asked: Asked) => Answer } = {
  recipient: byRecipient,
  destination: (contents, asked) =>
    addedUp(contents, asked, 'destination', (_letter, { channel, host }) =>
      channel === 'local' ? 'local' : host,
    ),
  sender: (contents, asked) => addedUp(contents, asked, 'sender', ({ sender }) => `<${sender}>`),
  age: (contents, asked) => byAge(contents, asked),
};

function byRecipient(contents: Contents, { now }: Asked): Answer {
  const open = [...openOf(contents)].sort(([, , one], [, , two]) => one.dueAt - two.dueAt);
  const more = open.length - contents.limit;
  return {
    kind: 'table',
    columns: [
      { name: 'message' },
      { name: 'age', format: 'span' },
      { name: 'bytes', format: 'count' },
      { name: 'state' },
      { name: 'due', format: 'instant' },
      { name: 'tries', format: 'count' },
      { name: 'sender' },
      { name: 'channel' },
      { name: 'recipient' },
    ],
    rows: open
      .slice(0, contents.limit)
      .map(([message, letter, waiting]) => [
        ...[message, now - letter.birth, letter.bytes, stateOf(letter, waiting), waiting.dueAt],
        ...[waiting.tries, `<${letter.sender}>`, waiting.channel, `<${waiting.address}>`],
      ]),
    notes: more > 0 ? [`and ${more} more recipients`] : [],
  };
}

type Sums = { recipients: number; due: number; held: number; attempting: number; oldest: number };

function sumUp(
  contents: Contents,
  now: Instant,
  keyOf: (letter: Letter, waiting: Waiting) => string,
): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const [, letter, waiting] of openOf(contents)) {
    const key = keyOf(letter, waiting);
    const sum = sums.get(key) ?? {
      recipients: 0,
      due: 0,
      held: 0,
      attempting: 0,
      oldest: Infinity,
    };
    sums.set(key, sum);
    const state = stateOf(letter, waiting);
    sum.recipients += 1;
    sum.oldest = Math.min(sum.oldest, letter.birth);
    if (state === 'held') sum.held += 1;
    else if (state === 'attempting') sum.attempting += 1;
    else if (waiting.dueAt <= now) sum.due += 1;
  }
  return sums;
}

const sumColumns = [
  { name: 'recipients', format: 'count' },
  { name: 'due', format: 'count' },
  { name: 'attempting', format: 'count' },
  { name: 'held', format: 'count' },
  { name: 'oldest', format: 'span' },
] as const;

const toCells = ({ recipients, due, attempting, held, oldest }: Sums, now: Instant) => [
  ...[recipients, due, attempting, held],
  Number.isFinite(oldest) ? now - oldest : undefined,
];

function addedUp(
  contents: Contents,
  { now }: Asked,
  name: string,
  keyOf: (letter: Letter, waiting: Waiting) => string,
): Answer {
  const rows = [...sumUp(contents, now, keyOf)].sort(([, a], [, b]) => b.recipients - a.recipients);
  const more = rows.length - contents.limit;
  return {
    kind: 'table',
    columns: [...sumColumns, { name }],
    rows: rows.slice(0, contents.limit).map(([key, sums]) => [...toCells(sums, now), key]),
    notes: more > 0 ? [`and ${more} more`] : [],
  };
}

/** Up to so many milliseconds,. */
const ages: readonly (readonly [number, string])[] = [
  [60_000, 'under a minute'],
  [300_000, 'under 5 minutes'],
  [900_000, 'under 15 minutes'],
  [3_600_000, 'under an hour'],
  [14_400_000, 'under 4 hours'],
  [86_400_000, 'under a day'],
  [259_200_000, 'under 3 days'],
  [Infinity, '3 days and more'],
];

/** All steps, the empty ones too: a chart wants them. */
function byAge(contents: Contents, { now }: Asked): Answer {
  const nothing: Sums = { recipients: 0, due: 0, held: 0, attempting: 0, oldest: Infinity };
  const sums = sumUp(contents, now, ({ birth }) => ages.find(([most]) => now - birth < most)![1]);
  return {
    kind: 'table',
    columns: [...sumColumns, { name: 'age' }],
    rows: ages.map(([, name]) => [...toCells(sums.get(name) ?? nothing, now), name]),
  };
}
