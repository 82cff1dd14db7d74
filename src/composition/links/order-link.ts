/** A channel at the other end of a link: orders go out with their small bodies, large ones are asked for piece by piece. */
import { firstValueFrom, Observable, take } from 'rxjs';
import type { BodyRef } from '../../mail/envelope.ts';
import { Trouble } from '../../mail/trouble.ts';
import type { Handlers, Link } from '../../platform/link.ts';
import { checkedPieces, pieceBytes } from '../../queue/checked-pieces.ts';
import type { AttemptReport, BodySource, Channel, Order } from '../../queue/ports.ts';
import type { Spool } from '../../spool/ports.ts';
import { isReport } from './report-shape.ts';

/** An order as it travels: the body is named, not carried, unless it is small. */
type OrderOnLink = Omit<Order, 'body'> & { readonly body: BodyRef };
type ReadOnLink = { readonly ref: BodyRef; readonly offset: number; readonly length: number };

/** How much longer than the attempt's own ceiling the queue waits for a report. */
const graceMs = 10_000;

/**
 * The queue's side. `link` gives the link of now; without one nothing is tried, nor in doubt.
 * Once the order is out, an error leaves it in doubt. Unsubscribing takes the order back.
 */
export function linkedChannel(link: () => Link | undefined, ceilingMs: () => number): Channel {
  return {
    attempt: (order) =>
      new Observable<AttemptReport>((subscriber) => {
        const abort = new AbortController();
        const { body, ...rest } = order;
        const args: OrderOnLink = { ...rest, body: body.ref };
        const timeoutMs = ceilingMs() + graceMs;
        const to = link();
        if (to === undefined) {
          subscriber.next(notSent(order));
          subscriber.complete();
          return;
        }
        let answered = false;
        to.request('attempt', args, { bytes: body.inline, signal: abort.signal, timeoutMs }).then(
          ({ value }) => {
            answered = true;
            if (isReport(value)) subscriber.next(value);
            else subscriber.error(mangled());
            subscriber.complete();
          },
          (cause: unknown) => subscriber.error(cause),
        );
        return () => {
          if (!answered) abort.abort();
        };
      }),
  };
}

const notSent = ({ recipients }: Order): AttemptReport => ({
  outcomes: recipients.map(({ rcpt }) => ({
    rcpt,
    kind: 'deferred',
    untried: true,
    reply: { text: 'The channel is not running. (#4.3.0)\n', status: '4.3.0' },
  })),
});

const mangled = () =>
  new Trouble('refused', { tryAgain: true, peer: 'report mangled, will defer (#4.3.0)' });

/** What the queue does for a channel's process: hands out pieces of the bodies it was given to deliver. */
export const serveBodies = (spool: Spool): Handlers => ({
  'body.read': async (args) => {
    const { ref, offset, length } = args as ReadOnLink;
    return { bytes: await spool.read(ref, offset, Math.min(length, pieceBytes)) };
  },
});

/** The channel's side: attempts what it is told to. */
export const serveChannel = (channel: Channel): Handlers => ({
  attempt: async (args, bytes, { link, signal }) => {
    const order = args as OrderOnLink;
    const body = bodyFrom(order.body, bytes, link);
    const report$ = channel.attempt({ ...order, body }).pipe(take(1));
    return { value: await firstValueFrom(untilAborted(report$, signal)) };
  },
});

/** Errors when the signal fires, so that the far side is let go of at once. */
function untilAborted<T>(source$: Observable<T>, signal: AbortSignal): Observable<T> {
  return new Observable<T>((subscriber) => {
    const stop = () =>
      subscriber.error(new Trouble('link-down', { tryAgain: true, peer: 'order taken back' }));
    signal.addEventListener('abort', stop, { once: true });
    const subscription = source$.subscribe(subscriber);
    return () => {
      signal.removeEventListener('abort', stop);
      subscription.unsubscribe();
    };
  });
}

function bodyFrom(ref: BodyRef, inline: Uint8Array | undefined, link: Link): BodySource {
  if (ref.bytes === 0)
    return { ref, inline: new Uint8Array(0), read: () => one(new Uint8Array(0)) };
  if (inline !== undefined) return { ref, inline, read: () => one(inline) };
  return { ref, read: () => pieces(ref, link) };
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

const pieces = (ref: BodyRef, link: Link): AsyncIterable<Uint8Array> =>
  checkedPieces(ref, async (offset, length) => {
    const args: ReadOnLink = { ref, offset, length };
    const { bytes } = await link.request('body.read', args, { timeoutMs: 60_000 });
    return bytes ?? new Uint8Array(0);
  });
