/**
 * The log that qmail-send would have written, so that existing analysers go on working. A letter's number, and its
 * qp, is the position of its first event: never given twice, and `waybill log --from NUMBER` finds it.
 *
 * What qmail did not know has no line: operators' commands, holds, lost roles. A delivery that was under way when
 * the engine died has no end here, as in qmail.
 */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import { sanitizeForLog } from '../src/mail/sanitize.ts';
import type { MessageId } from '../src/mail/envelope.ts';
import type { Instant } from '../src/platform/clock.ts';
import { messageOf } from '../src/queue/events.ts';
import type { ChannelName } from '../src/queue/ports.ts';
import { uidOf } from './deliveries.ts';
import { stampers, type Stamper } from './log-stamps.ts';

type Channel = { busy: number; most: number };

export type SendLog = {
  readonly stamp: Stamper;
  readonly since: Instant;
  /** Of letters that are not done. */
  readonly numbers: Map<MessageId, number>;
  /** Deliveries under way, by `<message>/<recipient>`. */
  readonly underWay: Map<string, { readonly no: number; readonly channel: ChannelName }>;
  readonly local: Channel;
  readonly remote: Channel;
  deliveries: number;
  said: readonly string[];
};

export const question: Question<SendLog> = {
  title: "qmail-send's log",
  about:
    'new msg, info msg, starting delivery, delivery, status, bounce msg, end msg: as analysers of qmail read them',
  bounds: 'letters that are not done: about 120 bytes each; deliveries under way',
  options: {
    stamp: {
      kind: Object.keys(stampers),
      about: 'tai64n as multilog, seconds as splogger, syslog as syslogd, none',
      default: 'tai64n',
    },
    tag: { kind: 'text', about: 'name of the program in syslog lines', default: 'qmail' },
    host: { kind: 'text', about: 'name of the host in syslog lines', default: 'localhost' },
  },
  hears: [
    'NodeStarted',
    'NodeStopped',
    'ControlsLoaded',
    'MessageAccepted',
    'AttemptStarted',
    'RecipientDelivered',
    'RecipientDeferred',
    'RecipientFailed',
    'BounceQueued',
    'BounceDiscarded',
    'MessageCleanedUp',
  ],
  learns: true,
  empty: ({ stamp, tag, host, since = -Infinity }: Given): SendLog => ({
    ...{ since, numbers: new Map(), underWay: new Map(), deliveries: 0, said: [] },
    stamp: stampers[String(stamp)]!(sanitizeForLog(String(host)), sanitizeForLog(String(tag))),
    local: { busy: 0, most: 10 },
    remote: { busy: 0, most: 20 },
  }),
  fold(log: SendLog, event: Happening) {
    const lines = tell(log, event);
    log.said = event.at < log.since ? [] : lines.map((line) => log.stamp(event.at, line));
    return log;
  },
  said: ({ said }) => said,
};
export const { empty, fold } = question;

function tell(log: SendLog, event: Happening): string[] {
  const message = messageOf(event.stream);
  return message === undefined ? tellOfNode(log, event) : tellOfLetter(log, message, event);
}

function tellOfNode(log: SendLog, event: Happening): string[] {
  switch (event.type) {
    case 'NodeStarted':
      log.underWay.clear();
      log.local.busy = 0;
      log.remote.busy = 0;
      return [status(log)];
    case 'NodeStopped':
      return ['status: exiting'];
    case 'ControlsLoaded':
      log.local.most = amountIn(event.data.files['concurrencylocal']) ?? 10;
      log.remote.most = amountIn(event.data.files['concurrencyremote']) ?? 20;
      return [];
    default:
      return [];
  }
}

function amountIn(file: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,9})/.exec(file ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function tellOfLetter(log: SendLog, message: MessageId, event: Happening): string[] {
  const no = numberOf(log, message, event.position);
  switch (event.type) {
    case 'MessageAccepted': {
      const { envelope, body, arrival } = event.data;
      const from = sanitizeForLog(envelope.returnPath);
      const info = `bytes ${body.bytes} from <${from}> qp ${no} uid ${uidOf(arrival)}`;
      return [`new msg ${no}`, `info msg ${no}: ${info}`];
    }
    case 'AttemptStarted':
      return event.data.rcpts.flatMap((rcpt, index) => {
        const route = event.data.routes[index];
        if (route?.channel !== 'local' && route?.channel !== 'remote') return [];
        const delivery = begin(log, `${message}/${rcpt}`, route.channel);
        const to = `${route.channel} ${sanitizeForLog(route.address)}`;
        return [`starting delivery ${delivery}: msg ${no} to ${to}`, status(log)];
      });
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed': {
      const delivery = end(log, `${message}/${event.data.rcpt}`);
      if (delivery === undefined) return [];
      const text = sanitizeForLog(event.data.reply.text);
      return [`delivery ${delivery}: ${words[event.type]}: ${text}`, status(log)];
    }
    case 'BounceQueued':
      return [`bounce msg ${no} qp ${log.numbers.get(event.data.child) ?? event.position}`];
    case 'BounceDiscarded':
      return [`triple bounce: discarding bounce/${no}`];
    case 'MessageCleanedUp':
      log.numbers.delete(message);
      return [`end msg ${no}`];
    default:
      return [];
  }
}

const words = {
  RecipientDelivered: 'success',
  RecipientDeferred: 'deferral',
  RecipientFailed: 'failure',
} as const;

/** A letter whose beginning is gone from the log has the position of what is there. */
function numberOf({ numbers }: SendLog, message: MessageId, position: number): number {
  const known = numbers.get(message);
  if (known !== undefined) return known;
  numbers.set(message, position);
  return position;
}

function begin(log: SendLog, key: string, channel: ChannelName): number {
  log.deliveries += 1;
  log.underWay.set(key, { no: log.deliveries, channel });
  log[channel].busy += 1;
  return log.deliveries;
}

function end(log: SendLog, key: string): number | undefined {
  const delivery = log.underWay.get(key);
  if (delivery === undefined) return undefined;
  log.underWay.delete(key);
  log[delivery.channel].busy -= 1;
  return delivery.no;
}

const status = ({ local, remote }: SendLog): string =>
  `status: local ${local.busy}/${local.most} remote ${remote.busy}/${remote.most}`;
