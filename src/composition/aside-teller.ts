/** Letters that are set aside, because their streams make no sense or cannot be read: each is named once. */
import type { MessageId } from '../mail/envelope.ts';
import type { Logger } from '../platform/logger.ts';

/** More are forgotten, and may be named a second time. */
const mostRemembered = 10_000;

export function asideTeller(logger: Logger): (message: MessageId, why: string) => void {
  const told = new Map<MessageId, string>();
  return (message, why) => {
    if (told.get(message) === why) return;
    if (told.size >= mostRemembered) told.clear();
    told.set(message, why);
    logger.error({ message, cause: why }, 'letter set aside: waybill trace and verify show it');
  };
}
