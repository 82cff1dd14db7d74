/** How much a mailbox may hold, as Maildir++ writes it: `1000000S,500C`, bytes and letters. */

export type Quota = {
  readonly maxBytes?: number;
  readonly maxLetters?: number;
};

export type Usage = { readonly bytes: number; readonly letters: number };

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/**
 * `1000000S`, `500C`, both with a comma between; `10MB`, `10M` and bare digits mean bytes. Empty, `0` and
 * `NOQUOTA` mean any amount, as does a zero in one part. `undefined`: not a quota at all.
 */
export function parseQuota(text: string): Quota | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'NOQUOTA') return {};
  let quota: Quota = {};
  for (const part of trimmed.split(',')) {
    const [, digits = '', unit = '', kind = ''] = /^(\d{1,15})([KMG]?)([SCB]?)$/i.exec(part) ?? [];
    if (digits === '' || (unit !== '' && kind.toUpperCase() === 'C')) return undefined;
    const amount = Number(digits) * units[unit.toUpperCase()]!;
    if (amount === 0) continue;
    quota =
      kind.toUpperCase() === 'C'
        ? { ...quota, maxLetters: amount }
        : { ...quota, maxBytes: amount };
  }
  return quota;
}

/** As `maildirsize` begins. */
export const formatQuota = ({ maxBytes, maxLetters }: Quota): string =>
  [
    ...(maxBytes === undefined ? [] : [`${maxBytes}S`]),
    ...(maxLetters === undefined ? [] : [`${maxLetters}C`]),
  ].join(',') || '0S';

export const isUnlimited = ({ maxBytes, maxLetters }: Quota): boolean =>
  maxBytes === undefined && maxLetters === undefined;

/** Whether a letter of so many bytes would be too much. */
export const isOver = (
  { maxBytes, maxLetters }: Quota,
  { bytes, letters }: Usage,
  letterBytes: number,
): boolean =>
  (maxBytes !== undefined && bytes + letterBytes > maxBytes) ||
  (maxLetters !== undefined && letters + 1 > maxLetters);
