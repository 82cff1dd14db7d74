/** SMTP replies: out of bytes, and into text that is safe to keep (RFC 5321 §4.2). Pure. */

export type SmtpReply = {
  /** Three digits of the first line; 0 when there were none. */
  readonly code: number;
  /** All lines, LF between them. A stranger's words: `cleanReply` before anybody reads them. */
  readonly text: string;
};

/** A reply longer than this is an attack, not an answer. */
export const longestReply = 65_536;

/** qmail keeps this much of what the far side said. */
export const longestSaid = 5_000;

export interface ReplyReader {
  /** `bytes`: a character per byte. Gives the replies now complete; `undefined` for one too long. */
  push(bytes: string): readonly SmtpReply[] | undefined;
  /** Whether a reply has begun and not ended. */
  readonly midway: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** UTF-8 where it is, else a character per byte. */
function decode(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  try {
    return utf8.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
  } catch {
    return bytes;
  }
}

/** The code decides by its first line, as in qmail-remote.c smtpcode. */
export function toReply(text: string): SmtpReply {
  const digits = /^[0-9]{3}(?![0-9])/.exec(text);
  return { code: digits === null ? 0 : Number(digits[0]), text: decode(text) };
}

/** A line ends in LF, a CR before it is dropped; a `-` in fourth place says that more follows. */
export function replyReader(): ReplyReader {
  /** Unfinished line, and the lines of the unfinished reply. */
  let rest = '';
  let lines = '';
  return {
    push(bytes) {
      const replies: SmtpReply[] = [];
      rest += bytes;
      for (let from = 0; ;) {
        const end = rest.indexOf('\n', from);
        if (end < 0) {
          rest = rest.slice(from);
          break;
        }
        const line = rest.slice(
          from,
          rest.charCodeAt(end - 1) === 13 && end > from ? end - 1 : end,
        );
        from = end + 1;
        // An empty line between replies means nothing; RFC 5321 knows none.
        if (line === '' && lines === '') continue;
        lines = lines === '' ? line : `${lines}\n${line}`;
        if (line.charAt(3) === '-') continue;
        replies.push(toReply(lines));
        lines = '';
      }
      return rest.length + lines.length > longestReply ? undefined : replies;
    },
    get midway() {
      return rest !== '' || lines !== '';
    },
  };
}

/** What the far side said, fit for a report: no CR, controls other than LF as `?`, not endless. */
export const cleanReply = (text: string): string =>
  text
    .slice(0, longestSaid)
    .replace(/\r/g, '')
    .replace(/(?!\n)\p{Cc}/gu, '?');

/** 2xx and 3xx say yes: qmail knows no difference between 250 and 354 where it asks for neither. */
export const saysYes = ({ code }: SmtpReply): boolean => code >= 200 && code < 400;

/**
 * RFC 5321 §4.2.1: more is wanted. It is the yes to DATA, and no answer to a letter: who says it there, or 2xx to
 * DATA, answers out of step, and its next word may be about this letter or none.
 */
export const wantsMore = ({ code }: SmtpReply): boolean => code >= 300 && code < 400;

/** Only 5xx says never. What is neither yes nor never (4xx, garbage) says later. */
export const saysNever = ({ code }: SmtpReply): boolean => code >= 500 && code < 600;

/** The enhanced status code (RFC 2034 §4), where it agrees with the code before it. */
export function enhancedStatus({ code, text }: SmtpReply): string | undefined {
  const status = /^[0-9]{3}[ -]([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=\s|$)/.exec(text)?.[1];
  return status?.charAt(0) === String(code).charAt(0) ? status : undefined;
}

/**
 * Whether a refused RCPT was one too many for the transaction. RFC 5321 §4.5.3.1.10: 452, and 552 from
 * servers of RFC 821's time; a status code that says otherwise (4.3.1: disk full, 5.2.2: mailbox full)
 * is believed.
 */
export function saysTooMany(reply: SmtpReply): boolean {
  const status = enhancedStatus(reply);
  if (status !== undefined) return status.endsWith('.5.3');
  return reply.code === 452 || reply.code === 552;
}
