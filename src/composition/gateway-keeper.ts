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
import { isPassword, parsePasswordHash } from '../platform/password-hash.ts';

export type KeeperParts = {
  /** The line of the desk's password; absent: nobody has set one. */
  readonly password: string | undefined;
  readonly ownUid: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'warn'>;
};

export function gatewayKeeper({ password, ownUid, clock, logger }: KeeperParts): Doorkeeper {
  const knows = passwordKeeper(password, clock, logger);
  return async ({ login, peer, here }) => {
    if (uidOf(peer, here) === ownUid) return true;
    return login === undefined ? false : knows(login.passwords, peer?.address ?? 'nowhere');
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

/** A password that was right is known again by its digest: the hash takes tens of milliseconds, and every call has one. */
function passwordKeeper(
  line: string | undefined,
  clock: KeeperParts['clock'],
  logger: KeeperParts['logger'],
): (passwords: readonly string[], address: string) => Promise<boolean | number> {
  const wanted = line === undefined ? undefined : parsePasswordHash(line);
  if (wanted === undefined) return async () => false;
  const attempts = openAttempts(clock);
  const asked = new Map<string, Promise<boolean>>();
  const right = new Set<string>();
  const isOneOf = async (passwords: readonly string[]): Promise<boolean> => {
    for (const password of passwords) if (await isPassword(password, wanted)) return true;
    return false;
  };
  return async (passwords, address) => {
    const digest = createHash('sha256').update(passwords[0]!).digest('base64');
    if (right.has(digest)) return true;
    // Many calls begin at once, with one password.
    const underWay = asked.get(digest);
    if (underWay !== undefined) return underWay;
    const waitMs = attempts.begin(address);
    if (waitMs > 0) return waitMs;
    const asking = isOneOf(passwords).finally(() => asked.delete(digest));
    asked.set(digest, asking);
    const isRight = await asking;
    if (isRight) {
      right.add(digest);
      attempts.right(address);
    } else logger.warn({ address }, 'wrong password at the gateway');
    return isRight;
  };
}
