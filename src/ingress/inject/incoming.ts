/** One letter of a local program on its way in. What the program sends is checked, and its line ends become CRLF. */
import { formatDate } from '../../mail/date.ts';
import type { Address, Arrival, MessageId } from '../../mail/envelope.ts';
import { messageIdReader } from '../../mail/header-message-id.ts';
import { lfToCrlf } from '../../mail/newlines.ts';
import { Trouble } from '../../mail/trouble.ts';
import type { Clock, Instant } from '../../platform/clock.ts';
import type { IncomingLetter } from '../ports.ts';

/** Who hands it in: the number is the kernel's word, the rest is the program's own. */
export type LocalCaller = {
  readonly uid: number;
  readonly pid: number;
  /** Who it says it is (USER and the like). */
  readonly user?: string;
  /** When it put the letter into the drop box; absent: it called. */
  readonly droppedAt?: Instant;
};

export type ProgramLetter = {
  readonly id: MessageId;
  to(recipients: unknown): void;
  write(chunk: Uint8Array): Promise<void>;
  accept(sender: unknown): Promise<MessageId>;
  /** Forgets the bytes, if there are any and nobody has accepted them. */
  abandon(): void;
};

/** All recipients together, in characters: the event that names them must be read back one day. */
const maxRecipientChars = 4 * 1024 * 1024;

/** `caller` is asked when the first byte comes: only then is it known. */
export function incomingLetter(
  letter: IncomingLetter,
  { clock, caller }: { readonly clock: Pick<Clock, 'now'>; readonly caller: () => LocalCaller },
): ProgramLetter {
  const recipients: Address[] = [];
  const newlines = lfToCrlf();
  const messageId = messageIdReader();
  let chars = 0;
  let eightBit = false;
  let begun = false;
  let open = true;

  const begin = async (): Promise<void> => {
    if (begun) return;
    begun = true;
    await letter.write(Buffer.from(formatInvoked(caller(), clock.now()), 'latin1'));
  };
  return {
    id: letter.id,
    to(given) {
      if (!open || !Array.isArray(given)) throw odd();
      for (const recipient of given as unknown[]) {
        if (!isAddress(recipient)) throw odd();
        chars += recipient.length;
        recipients.push(recipient);
      }
      if (chars > maxRecipientChars) throw tooMany();
    },
    async write(chunk) {
      if (!open) throw odd();
      await begin();
      eightBit ||= !isAscii(chunk);
      const lines = newlines.push(chunk);
      messageId.push(lines);
      if (lines.length > 0) await letter.write(lines);
    },
    async accept(sender) {
      if (!open || !isAddress(sender)) throw odd();
      await begin();
      open = false;
      const { uid, user, droppedAt } = caller();
      const arrival: Arrival = {
        ...{ protocol: 'local', uid },
        ...(user !== undefined && { user }),
        ...(droppedAt !== undefined && { droppedAt }),
        ...(messageId.found !== undefined && { messageId: messageId.found }),
        ...(eightBit && { eightBit }),
        ...([sender, ...recipients].some((address) => /[^\0-\x7f]/.test(address)) && {
          utf8: true,
        }),
      };
      return letter.accept({ returnPath: sender, recipients }, arrival);
    },
    abandon() {
      if (!open) return;
      open = false;
      letter.abandon();
    },
  };
}

/** `Received: (qmail 1234 invoked by uid 1000); 20 Nov 2026 23:48:01 -0000`, CRLF; never folded (qmail's received.c). */
const formatInvoked = ({ uid, pid, droppedAt }: LocalCaller, at: Instant): string => {
  const way = droppedAt === undefined ? '' : ' through the drop box';
  return `Received: (qmail ${pid} invoked by uid ${uid}${way}); ${formatDate(at)}\r\n`;
};

/** 1,002 bytes are qmail-queue's limit; the program looks at them, this is for those that are none of ours. */
const isAddress = (text: unknown): text is Address =>
  typeof text === 'string' && text.length <= 1_002 && !text.includes('\0');

function isAscii(chunk: Uint8Array): boolean {
  for (const byte of chunk) if (byte > 127) return false;
  return true;
}

const odd = () => new Trouble('refused', { tryAgain: false, peer: 'odd request (#5.5.4)' });

const tooMany = () =>
  new Trouble('too-large', { tryAgain: false, peer: 'too many recipients (#5.5.3)' });
