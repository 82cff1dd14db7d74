/**
 * Links between processes over sockets in the data directory's `run/`, one per role: the name of the
 * socket says what its callers may ask, and the file's owner and mode who may call.
 *
 * Paths are relative to the data directory, which is the working directory of every role: a socket's
 * path may have 107 bytes, a data directory's more.
 */
import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { BehaviorSubject, filter, firstValueFrom, race, timer, type Observable } from 'rxjs';
import { dialLink } from '../../platform/dial-link.ts';
import type { Handlers, Link } from '../../platform/link.ts';

/** How long the other side may take to say hello. */
const helloMs = 5_000;

export type LinkName = 'door' | 'remote' | 'local' | 'control' | 'desk' | 'inject';

/** How long a role that starts waits for the queue before it goes on without. */
export const firstUpMs = 10_000;

/** Local programs of any user hand in letters; the door behind it asks the kernel whose they are. */
const everybody = 0o666;

const socketPath = (name: LinkName): string => `run/${name}.sock`;

/**
 * Serves links of one kind, to processes of this user and, when a group is given, to those of that group.
 * The caller holds the lock of the data directory: a socket left there is stale.
 */
export async function listenForLinks(
  name: LinkName,
  open: (socket: Socket) => void,
  gid?: number,
): Promise<Server> {
  const path = socketPath(name);
  rmSync(path, { force: true });
  const server = createServer(open);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  if (gid !== undefined) chownSync(path, -1, gid);
  chmodSync(path, name === 'inject' ? everybody : gid === undefined ? 0o600 : 0o660);
  return server;
}

/** One link, or a rejection (`ENOENT`, `ECONNREFUSED`: nobody serves it). */
export async function connectLink(name: LinkName, handlers: Handlers = {}): Promise<Link> {
  const link = await dialLink(socketPath(name), handlers);
  try {
    // Connected is not yet accepted: a role is ready when the other side has heard of it.
    await link.request('hello', {}, { timeoutMs: helloMs });
    return link;
  } catch (cause) {
    link.close();
    throw cause;
  }
}

export type SteadyLink = {
  /** The link of now, if it is up. */
  current(): Link | undefined;
  readonly up$: Observable<boolean>;
  /** Resolves when the link is up for the first time, or after `ms` without. */
  firstUp(ms: number): Promise<void>;
  close(): void;
};

/** A link that comes back by itself: the queue may restart without its roles restarting. */
export function steadyLink(name: LinkName, handlers: Handlers = {}): SteadyLink {
  const up$ = new BehaviorSubject(false);
  let link: Link | undefined;
  let redial: NodeJS.Timeout | undefined;
  let closed = false;
  let waitMs = 20;
  const again = () => {
    if (closed) return;
    redial = setTimeout(dial, waitMs);
    waitMs = Math.min(waitMs * 2, 100);
  };
  const dial = () => {
    connectLink(name, handlers).then((opened) => {
      if (closed) {
        opened.close();
        return;
      }
      link = opened;
      waitMs = 20;
      up$.next(true);
      void opened.closed.then(() => {
        link = undefined;
        up$.next(false);
        again();
      });
    }, again);
  };
  dial();
  return {
    current: () => link,
    up$,
    firstUp: (ms) =>
      firstValueFrom(race(up$.pipe(filter(Boolean)), timer(ms)), { defaultValue: true }).then(
        nothing,
      ),
    close() {
      closed = true;
      clearTimeout(redial);
      link?.close();
      up$.complete();
    },
  };
}

const nothing = (): void => undefined;
