/**
 * The queue's switchboard: who is connected, and what each may ask. A door may hand in letters and ask
 * who lives here; a channel may read the bodies it was given; the control socket takes an operator's
 * orders and tells what a role knows, and so does the desk's; a local program may hand in letters, and nothing else.
 */
import { filter, firstValueFrom, race, Subject, timer, type Observable } from 'rxjs';
import type { InjectDoor } from '../../ingress/inject/door.ts';
import type { Directory, Refusals } from '../../ingress/ports.ts';
import { openLink, type Handlers, type Link } from '../../platform/link.ts';
import type { Logger } from '../../platform/logger.ts';
import { wordsOf } from '../../platform/logger.ts';
import type { ChannelName } from '../../queue/ports.ts';
import type { Operator, OperatorRequest } from '../../queue/operator.ts';
import { linkedDirectory, serveDirectory } from './directory-link.ts';
import type { IntakeServer } from './intake-link.ts';
import type { LinkName } from './sockets.ts';
import { passTcptoOn } from './tcpto-link.ts';
import type { Duplex } from 'node:stream';

export type LinkHub = {
  /** Takes a fresh connection of that kind. */
  connect(name: LinkName, stream: Duplex): void;
  /** The channel's process of now, if one is connected. */
  channel(name: ChannelName): Link | undefined;
  /** Channels that came or went. */
  readonly changed$: Observable<ChannelName>;
};

export type HubParts = {
  readonly intake: IntakeServer;
  readonly bodies: Handlers;
  readonly inject: Pick<InjectDoor, 'take'>;
  readonly operator: Operator;
  readonly retryAll: (by: string, why: string) => Promise<void>;
  readonly refusals: Refusals;
  readonly status: () => object;
  readonly logger: Logger;
};

export function openHub(parts: HubParts): LinkHub {
  const channels = new Map<ChannelName, Link>();
  const changed$ = new Subject<ChannelName>();
  const onBug = (cause: unknown) =>
    parts.logger.error({ cause: wordsOf(cause) }, 'bug behind a link');
  const directory = patient(
    linkedDirectory(() => channels.get('local')),
    () => untilLocal(channels, changed$),
  );

  let doors = 0;
  const takeDoor = (stream: Duplex): void => {
    doors += 1;
    let link: Link | undefined = undefined;
    const handlers = {
      hello,
      ...parts.intake.handlersFor(() => link!),
      ...serveDirectory(directory),
      refused: (args: unknown) => parts.refusals.note(args as Parameters<Refusals['note']>[0]),
    };
    link = openLink(stream, handlers, { onBug, limits });
    void link.closed.then(() => (doors -= 1));
  };
  const takeChannel = (name: ChannelName, stream: Duplex): void => {
    const link = openLink(stream, { hello, ...parts.bodies }, { onBug, limits });
    channels.set(name, link);
    changed$.next(name);
    void link.closed.then(() => {
      // A newer process may have taken its place already.
      if (channels.get(name) === link) channels.delete(name);
      changed$.next(name);
    });
  };
  const control: Handlers = {
    hello,
    ...ordersOf(parts),
    status: () => ({ value: { ...parts.status(), channels: [...channels.keys()], doors } }),
    ...passTcptoOn(() => channels.get('remote')),
  };
  return {
    connect(name, stream) {
      if (name === 'door') takeDoor(stream);
      else if (name === 'inject') parts.inject.take(stream);
      else if (name === 'control' || name === 'desk') openLink(stream, control, { onBug, limits });
      else takeChannel(name, stream);
    },
    channel: (name) => channels.get(name),
    changed$,
  };
}

/** What an operator may want of the queue. */
const ordersOf = ({ operator, retryAll }: HubParts): Handlers => ({
  operate: async (args) => ({ value: await operator.act(args as OperatorRequest) }),
  'retry-all': async (args) => {
    const { by, why } = args as { by: string; why: string };
    await retryAll(by, why);
  },
});

/** Who asks and does not listen is not heard any more. */
const limits = { unsentBytes: 16 * 1024 * 1024 };

/** How long a client at RCPT waits for `local` to come up, or back, before it hears 451. */
const localPatienceMs = 5_000;

async function untilLocal(
  channels: ReadonlyMap<ChannelName, Link>,
  changed$: Observable<ChannelName>,
): Promise<void> {
  if (channels.has('local')) return;
  const back$ = changed$.pipe(filter(() => channels.has('local')));
  await firstValueFrom(race(back$, timer(localPatienceMs)));
}

const patient = (directory: Directory, ready: () => Promise<void>): Directory => ({
  async receives(address) {
    await ready();
    return directory.receives(address);
  },
});

/** Says that the link is served. */
const hello = (): void => undefined;
