/** One letter as qmail-qread lists it: a line for the letter, then one for each recipient, local ones first. Pure. */
import { formatDate } from '../mail/date.ts';
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { ChannelName } from '../queue/ports.ts';
import type { QueueEvent } from '../queue/events.ts';
import { initial, whyPassedOver, type RecipientStatus } from '../queue/state.ts';

/**
 * The lines, from the letter's own events; `[]` when none of them says what letter it is. Recipients are
 * as they are routed, the prefix of a virtual domain included; those that are done stay in the list.
 */
export function qreadLines(
  message: MessageId,
  events: readonly RecordedEvent[],
): readonly string[] {
  const state = initial();
  const redirected = new Set<RecipientNo>();
  for (const event of events as readonly (RecordedEvent & QueueEvent)[]) {
    if (whyPassedOver(state, event) !== undefined) continue;
    if (event.type === 'RecipientRedirected') redirected.add(event.data.rcpt);
    if (event.type === 'AttemptStarted')
      event.data.rcpts.forEach((rcpt) => redirected.delete(rcpt));
  }
  if (state.body.id === '') return [];
  const { birth, body, returnPath, failures } = state;
  const bouncing = failures.length > 0 ? ' bouncing' : '';
  const head = `${formatDate(birth, 'GMT')}  #${message}  ${body.bytes}  <${printable(returnPath)}> ${bouncing}`;
  const recipients = state.recipients.map(({ address, route, status }, rcpt) => ({
    channel: route?.channel ?? 'local',
    line: recipientLine(
      route?.channel ?? 'local',
      redirected.has(rcpt) ? address : (route?.address ?? address),
      status,
    ),
  }));
  const onChannel = (wanted: ChannelName) =>
    recipients.filter(({ channel }) => channel === wanted).map(({ line }) => line);
  return [head, ...onChannel('local'), ...onChannel('remote')];
}

const done: ReadonlySet<RecipientStatus> = new Set(['delivered', 'failed', 'cancelled']);

const recipientLine = (channel: ChannelName, address: Address, status: RecipientStatus): string =>
  `${done.has(status) ? '  done' : ''}\t${channel}\t${printable(address)}`;

const encoder = new TextEncoder();

/** Byte by byte, as qmail did: what is no printable ASCII becomes `_`. */
const printable = (text: string): string =>
  Array.from(encoder.encode(text), (byte) =>
    byte < 32 || byte > 126 ? '_' : String.fromCharCode(byte),
  ).join('');
