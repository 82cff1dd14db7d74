/** What qmail-showctl says about each control file: its kind, and the words around its values. */
import type { ControlName } from '../../../control/settings.ts';
import { tcpRulesFile } from '../../../control/settings.ts';

/** `before` VALUE `after`. */
type Around = { readonly before: string; readonly after?: string };

export type ControlWords =
  /** Default: `me`, and this where `me` is missing, too; `own` has nothing to do with `me`. */
  | (Around & { readonly kind: 'line'; readonly otherwise: string; readonly own?: true })
  | (Around & { readonly kind: 'amount'; readonly fallback: number })
  /** `none` stands for no file; `me`: the default is that entry. */
  | (Around & { readonly kind: 'list'; readonly none: string })
  /** Only whether it is there. */
  | { readonly kind: 'whole'; readonly none: string; readonly some: string };

const undefinedMe = 'undefined! Uh-oh';

const line = (before: string, otherwise: string, after = '.'): ControlWords => ({
  ...{ kind: 'line', before, after, otherwise },
});
const amount = (before: string, fallback: number, after: string): ControlWords => ({
  ...{ kind: 'amount', before, fallback, after },
});
const list = (none: string, before: string, after = '.'): ControlWords => ({
  ...{ kind: 'list', none, before, after },
});

type Shown = ControlName | typeof tcpRulesFile;

// prettier-ignore
const words: { readonly [Name in Shown]: ControlWords } = {
  badmailfrom: list('Any MAIL FROM is allowed.', '', ' not accepted in MAIL FROM.'),
  bouncefrom: { kind: 'line', before: 'Bounce user name is ', after: '.', otherwise: 'MAILER-DAEMON', own: true },
  bouncehost: line('Bounce host name is ', 'bouncehost'),
  concurrencyincoming: { kind: 'whole', none: 'Number of SMTP connections is as waybill.toml says.', some: 'Number of SMTP connections is as this file says.' },
  concurrencylocal: amount('Local concurrency is ', 10, '.'),
  concurrencyremote: amount('Remote concurrency is ', 20, '.'),
  databytes: amount('SMTP DATA limit is ', 0, ' bytes.'),
  defaultdelivery: { kind: 'whole', none: 'Default delivery is as waybill.toml says.', some: 'Default delivery is as this file says.' },
  defaultdomain: line('Default domain name is ', 'defaultdomain'),
  defaulthost: line('Default host name is ', 'defaulthost'),
  doublebouncehost: line('2B recipient host: ', 'doublebouncehost'),
  doublebounceto: { kind: 'line', before: '2B recipient user: ', after: '.', otherwise: 'postmaster', own: true },
  envnoathost: line('Presumed domain name is ', 'envnoathost'),
  helohost: line('SMTP client HELO host name is ', undefinedMe),
  idhost: line('Message-ID host name is ', 'idhost'),
  localiphost: line('Local IP address becomes ', undefinedMe),
  locals: list('me', 'Messages for ', ' are delivered locally.'),
  me: line('My name is ', undefinedMe),
  outgoingip: { kind: 'line', before: 'SMTP client IP address is ', after: '.', otherwise: "the system's choice", own: true },
  percenthack: list('The percent hack is not allowed.', 'The percent hack is allowed for user%host@'),
  plusdomain: line('Plus domain name is ', 'plusdomain'),
  qmqpservers: list('No QMQP servers.', 'QMQP server: '),
  queuelifetime: amount('Message lifetime in the queue is ', 604_800, ' seconds.'),
  rcpthosts: list('SMTP clients may send messages to what is delivered here (locals and virtualdomains).', 'SMTP clients may send messages to recipients at '),
  morercpthosts: list('No effect.', 'SMTP clients may send messages to recipients at '),
  smtpgreeting: line('SMTP greeting: 220 ', undefinedMe),
  smtproutes: list('No artificial SMTP routes.', 'SMTP route: ', ''),
  [tcpRulesFile]: { kind: 'whole', none: 'Every SMTP client may connect, and none may relay.', some: 'SMTP clients may connect and relay as this file says.' },
  timeoutconnect: amount('SMTP client connection timeout is ', 60, ' seconds.'),
  timeoutremote: amount('SMTP client data timeout is ', 1_200, ' seconds.'),
  timeoutsmtpd: amount('SMTP server data timeout is ', 1_200, ' seconds.'),
  virtualdomains: list('No virtual domains.', 'Virtual domain: ', ''),
};

/** In the order in which they are shown. */
export const controlWords = Object.entries(words) as readonly (readonly [Shown, ControlWords])[];
