/** Why a letter, and a recipient of it, was taken at all: by the rules that were in force when it came. */
import { acceptsRecipient } from '../control/rcpthosts.ts';
import { parseControls, type ParsedControls } from '../control/controls.ts';
import { tcpRulesFile } from '../control/settings.ts';
import { lookupTcpRule } from '../control/tcp-rules.ts';
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, Arrival, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { Parent, QueueEvent } from '../queue/events.ts';
import { linesOf, lineOfValue, loadingOf, type LoadedRules } from './rules-of-the-day.ts';
import type { NodeHistory, RuleLine } from './rules-of-the-day.ts';

/** A version of the control files: the event `ControlsLoaded` that brought it into force. */
export type RulesVersion = {
  readonly digest: string;
  readonly loadedAt?: Instant;
  readonly position?: number;
  readonly stream?: string;
};

export type ClientLine = RuleLine & {
  readonly allow: boolean;
  /** May send anywhere; what RELAYCLIENT appends to recipients, most often `''`. */
  readonly relay?: string;
  /** DATABYTES of the line, as written. */
  readonly databytes?: string;
};

export type Entry = Pick<Arrival, 'protocol' | 'door' | 'peer' | 'peerHost' | 'helo'> &
  Pick<Arrival, 'auth' | 'uid' | 'user' | 'droppedAt' | 'size'> & {
    readonly acceptedAt: Instant;
    readonly returnPath: Address;
    /** As stored: a line end is two bytes, and our Received field is in it. */
    readonly bytes: number;
    readonly parent?: Parent;
    readonly controls?: RulesVersion;
    /** The line of tcp.smtp that spoke for the client; absent: none did, so it might come in and not relay. */
    readonly client?: ClientLine;
    /** What let this recipient in: who the client is, its right to relay, a line, or an address without a domain. */
    readonly admitted?: {
      readonly because: 'auth' | 'relay' | 'line' | 'no-domain' | 'unknown';
      readonly lines: readonly RuleLine[];
    };
    /** Largest letter, a line end counted as one byte; 0 for any size. */
    readonly databytes?: { readonly bytes: number; readonly line: RuleLine };
  };

type Accepted = Extract<QueueEvent, { type: 'MessageAccepted' }>;

/** `undefined` when the beginning of the letter's stream is damaged. */
export function entryOf(
  rcpt: RecipientNo,
  events: readonly RecordedEvent[],
  history: NodeHistory,
): Entry | undefined {
  const accepted = events.find(({ type }) => type === 'MessageAccepted');
  if (accepted === undefined) return undefined;
  const { at, data } = accepted as RecordedEvent & Accepted;
  const { envelope, body, arrival, parent } = data;
  const { eightBit: _8, utf8: _u, tls: _t, ...came } = arrival;
  const rules = rulesAtEntry(events, history);
  return {
    ...came,
    ...{ acceptedAt: at, returnPath: envelope.returnPath, bytes: body.bytes },
    ...(parent === undefined ? {} : { parent }),
    ...(rules === undefined ? {} : { controls: versionOf(rules) }),
    ...(rules === undefined || arrival.peer === undefined
      ? {}
      : doorSaid(envelope.recipients[rcpt] ?? '', arrival, rules)),
  };
}

export const versionOf = ({ digest, at, position, stream }: LoadedRules): RulesVersion => ({
  ...{ digest, loadedAt: at, position },
  ...(stream === undefined ? {} : { stream }),
});

function rulesAtEntry(
  events: readonly RecordedEvent[],
  history: NodeHistory,
): LoadedRules | undefined {
  const queued = events.find(({ type }) => type === 'MessageQueued');
  if (queued === undefined) return undefined;
  const { controls } = queued.data as Extract<QueueEvent, { type: 'MessageQueued' }>['data'];
  return loadingOf(history, controls, queued.position);
}

type Parsed = Pick<ParsedControls, 'controls' | 'tcpRules'>;

/** Texts that somebody has read already. */
type Readable = Pick<LoadedRules, 'files'> & Parsed;

/** What the rules in force say of a client and a recipient; nothing where they cannot be read any more. */
export function doorSaid(
  recipient: Address,
  { peer, peerHost, auth }: Pick<Arrival, 'peer' | 'peerHost' | 'auth'>,
  rules: Pick<LoadedRules, 'files'> | Readable,
): Pick<Entry, 'client' | 'admitted' | 'databytes'> {
  const { files } = rules;
  const parsed = 'tcpRules' in rules ? rules : tryParse(files);
  if (parsed === undefined) return {};
  const client = clientLine(ipOf(peer ?? ''), peerHost, files, parsed);
  const { databytes } = parsed.controls;
  return {
    ...(client === undefined ? {} : { client }),
    admitted:
      auth === undefined
        ? admittedBy(recipient, client, files, parsed)
        : { because: 'auth', lines: [] },
    databytes: { bytes: databytes, line: lineOfValue('databytes', files, 'any size') },
  };
}

/** A release that is younger than the log may be stricter than the one that loaded them. */
function tryParse(files: LoadedRules['files']): Parsed | undefined {
  try {
    return parseControls(files);
  } catch {
    return undefined;
  }
}

/** `192.0.2.1:4711`, `[2001:db8::1]:4711`: the address alone. */
export const ipOf = (peer: string): string => peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

function clientLine(
  ip: string,
  host: string | undefined,
  files: LoadedRules['files'],
  { tcpRules }: Parsed,
): ClientLine | undefined {
  const decision = lookupTcpRule(tcpRules, { ip, ...(host === undefined ? {} : { host }) });
  const rule = tcpRules.get(decision.rule.slice(`${tcpRulesFile}: `.length));
  if (decision.rule === 'default' || rule === undefined) return undefined;
  const relay = rule.env.get('RELAYCLIENT');
  const databytes = rule.env.get('DATABYTES');
  return {
    ...{ file: tcpRulesFile, line: rule.line, allow: rule.allow },
    text: (files[tcpRulesFile] ?? '').split('\n')[rule.line - 1] ?? '',
    ...(relay === undefined ? {} : { relay }),
    ...(databytes === undefined ? {} : { databytes }),
  };
}

function admittedBy(
  recipient: Address,
  client: ClientLine | undefined,
  files: LoadedRules['files'],
  { controls }: Parsed,
): NonNullable<Entry['admitted']> {
  if (client?.relay !== undefined) return { because: 'relay', lines: [client] };
  const rule = acceptsRecipient(recipient, controls);
  if (rule === undefined) return { because: 'unknown', lines: [] };
  const lines = linesOf(rule, files);
  return { because: lines.length === 0 ? 'no-domain' : 'line', lines };
}
