/** The header fields that qmail-inject knows, and what it does to each (hfield.c, qmail-inject.c). */

export type FieldName =
  | 'sender'
  | 'from'
  | 'reply-to'
  | 'to'
  | 'cc'
  | 'bcc'
  | 'date'
  | 'message-id'
  | 'apparently-to'
  | 'return-path'
  | 'return-receipt-to'
  | 'errors-to'
  | 'content-length'
  | 'mail-followup-to'
  | 'resent-sender'
  | 'resent-from'
  | 'resent-reply-to'
  | 'resent-to'
  | 'resent-cc'
  | 'resent-bcc'
  | 'resent-date'
  | 'resent-message-id';

type Treatment = {
  /** Whose address it is; recipients are collected. Without: no address field. */
  readonly addresses?: 'people' | 'recipients' | 'return-path';
  /** Never leaves this machine. */
  readonly deleted?: true;
};

const people = { addresses: 'people' } as const;
const recipients = { addresses: 'recipients' } as const;
const untouched = {} as const;

export const treatments: { readonly [Name in FieldName]: Treatment } = {
  sender: people,
  from: people,
  'reply-to': people,
  to: recipients,
  cc: recipients,
  bcc: { ...recipients, deleted: true },
  date: untouched,
  'message-id': untouched,
  'apparently-to': recipients,
  'return-path': { addresses: 'return-path', deleted: true },
  'return-receipt-to': people,
  'errors-to': people,
  'content-length': { deleted: true },
  'mail-followup-to': untouched,
  'resent-sender': people,
  'resent-from': people,
  'resent-reply-to': people,
  'resent-to': recipients,
  'resent-cc': recipients,
  'resent-bcc': { ...recipients, deleted: true },
  'resent-date': untouched,
  'resent-message-id': untouched,
};

/** At least one byte of 33 to 126 without a colon, then blanks, then the colon. */
const fieldStart = /^([!-9;-~]+)[ \t]*:/;

/** Whether a line begins a field. */
export const isField = (line: string): boolean => fieldStart.test(line);

/** The name as it is spelled, and what follows the colon. */
export function splitField(field: string): { readonly spelled: string; readonly value: string } {
  const match = fieldStart.exec(field);
  return { spelled: match?.[1] ?? '', value: field.slice(match?.[0].length ?? 0) };
}

export function knownName(spelled: string): FieldName | undefined {
  const name = spelled.toLowerCase();
  return Object.hasOwn(treatments, name) ? (name as FieldName) : undefined;
}
