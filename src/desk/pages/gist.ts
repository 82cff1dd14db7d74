/** An event in a few words, for lists where the whole of it would be too much. Pure. */
import type { RecordedEvent } from '../../log/ports.ts';
import { toAsciiJson } from '../../trace/json.ts';
import { formatParty, formatReply, safe } from '../../trace/words.ts';
import type { Reply } from '../../mail/verdict.ts';
import type { QueueEvent } from '../../queue/events.ts';

export function gistOf(event: RecordedEvent): string {
  const known = event as RecordedEvent & QueueEvent;
  switch (known.type) {
    case 'MessageAccepted': {
      const { envelope, arrival } = known.data;
      const to = listed(envelope.recipients.map((address) => formatParty(address)));
      return `${formatParty(envelope.returnPath)} → ${to}, by ${safe(arrival.protocol, 20)}`;
    }
    case 'MessageQueued':
      return listed(
        known.data.routes.map(({ channel, hop }) => safe(`${channel} ${hop.host}`.trim(), 80)),
      );
    case 'AttemptStarted':
      return `attempt ${known.data.attempt} to ${listed(known.data.routes.map(({ address }) => formatParty(address)))}`;
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed':
      return said(known.data);
    case 'MessageAdopted':
      return `by node ${safe(known.data.by, 36)}`;
    case 'BounceQueued':
      return `${known.data.kind} to ${formatParty(known.data.to)}`;
    case 'BounceDiscarded':
      return safe(known.data.why);
    case 'MessageHeld':
    case 'MessageReleased':
    case 'RetryRequested':
      return hand(known.data);
    case 'RecipientRedirected':
      return `to ${formatParty(known.data.to)}, ${hand(known.data)}`;
    case 'RecipientCancelled':
      return `${formatParty(known.data.address)}, ${hand(known.data)}`;
    case 'MessageSettled':
      return `${known.data.failed.length} failed`;
    case 'MessageCleanedUp':
      return '';
    default:
      return safe(toAsciiJson(event.data), 300);
  }
}

const said = ({ address, reply }: { readonly address: string; readonly reply: Reply }): string =>
  `${formatParty(address)}: ${formatReply(reply, 240)}`;

const hand = ({ by, why }: { readonly by: string; readonly why: string }): string =>
  `by ${safe(by, 80)}${why === '' ? '' : ` (${safe(why, 160)})`}`;

const listed = (items: readonly string[], most = 5): string =>
  items.length <= most
    ? items.join(', ')
    : `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
