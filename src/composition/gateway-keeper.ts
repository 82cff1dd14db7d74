/**
 * Who may read through the gateway: as at the desk's page, whoever the kernel says is the engine's own user,
 * over the loopback; and who knows the desk's password, by whatever name.
 */
import { createHash } from 'node:crypto';
import { openAttempts } from '../desk/guard/attempts.ts';
import { peerUid } from '../desk/guard/peer-uid.ts';
import type { Doorkeeper, Place } from '../gateway/doorkeeper.ts';
import { isLoopback } from '../mail/ip-address.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { isPassword, parsePasswordHash, type PasswordHash } from '../platform/password-hash.ts';

export type KeeperParts = {
  /** The line of the desk's password as it is now; absent: nobody has set one. */
  readonly password: () => string | undefined;
  readonly ownUid: number;
  readonly clock: Pick<Clock, 'steady'>;
  readonly logger: Pick<Logger, 'warn'>;
};

export function gatewayKeeper({ password, ownUid, clock, logger }: KeeperParts): Doorkeeper {
  const knows = passwordKeeper(password, clock, logger);
  return async ({ login, peer, here }) => {
    if (uidOf(peer, here) === ownUid) return true;
    return login === undefined ? false : knows(login.passwords, peer ?? nowhere);
  };
}

function uidOf(peer: Place | undefined, here: Place): number | undefined {
  if (peer === undefined || !isLoopback(peer.address) || !isLoopback(here.address))
    return undefined;
  return peerUid({
    ...{ remoteAddress: peer.address, remotePort: peer.port },
    ...{ localAddress: here.address, localPort: here.port },
  });
}

const nowhere: Place = { address: 'nowhere', port: 0 };

/** So many connections are known again. */
const mostConnections = 1_000;

/**
 * A password that was right is known again by its digest, where it came from: the hash takes tens of milliseconds,
 * and every call has one. Not from elsewhere, nor over another connection of an address that must wait: or whoever
 * guesses would be told at once, as often as he likes, as soon as anybody had known it.
 */
function passwordKeeper(
  lineNow: () => string | undefined,
  clock: KeeperParts['clock'],
  logger: KeeperParts['logger'],
): (passwords: readonly string[], from: Place) => Promise<boolean | number> {
  let line = lineNow();
  let wanted = line === undefined ? undefined : parsePasswordHash(line);
  const attempts = openAttempts(clock);
  const asked = new Map<string, Promise<boolean>>();
  const right = new Set<string>();
  const remember = (digest: string, { address, port }: Place): void => {
    right.add(`${address} ${digest}`);
    right.add(`${address} ${port} ${digest}`);
    for (const oldest of right) {
      if (right.size <= mostConnections) break;
      right.delete(oldest);
    }
  };
  /** What was right before another password was set is so no more. */
  const wantedNow = (): PasswordHash | undefined => {
    const now = lineNow();
    if (now === line) return wanted;
    right.clear();
    asked.clear();
    line = now;
    return (wanted = now === undefined ? undefined : parsePasswordHash(now));
  };
  const isKnown = (digest: string, { address, port }: Place): boolean =>
    right.has(`${address} ${port} ${digest}`) ||
    (right.has(`${address} ${digest}`) && attempts.waitOf(address) === 0);
  const isOneOf = async (passwords: readonly string[], hash: PasswordHash): Promise<boolean> => {
    for (const password of passwords) if (await isPassword(password, hash)) return true;
    return false;
  };
  return async (passwords, from) => {
    const hash = wantedNow();
    if (hash === undefined) return false;
    const { address } = from;
    const digest = createHash('sha256').update(passwords[0]!).digest('base64');
    if (isKnown(digest, from)) {
      remember(digest, from);
      return true;
    }
    // Many calls begin at once, with one password.
    const asking = `${address} ${digest}`;
    const underWay = asked.get(asking);
    if (underWay !== undefined) return underWay;
    const waitMs = attempts.begin(address);
    if (waitMs > 0) return waitMs;
    const answer = isOneOf(passwords, hash).finally(() => asked.delete(asking));
    asked.set(asking, answer);
    const isRight = (await answer) && hash === wantedNow();
    if (isRight) {
      remember(digest, from);
      attempts.right(address);
    } else logger.warn({ address }, 'wrong password at the gateway');
    return isRight;
  };
}
