/**
 * Envelope addresses: where they split, how they are written, what counts as the same.
 * Only the domain ignores case, and only for A to Z (qmail's case_lowerb).
 */
import type { Address } from './envelope.ts';

export type AddressParts = {
  /** Before the last `@`, or the whole address when there is none. */
  readonly local: string;
  /** After the last `@`, case kept; absent when there is no `@`, `''` for `a@`. */
  readonly domain: string | undefined;
};

/** Folds A to Z and nothing else: no locale, no Unicode, as control files and DNS want it. */
export const asciiLower = (text: string): string =>
  text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Splits at the last `@`: `a@b@h` is `a@b` at `h`. */
export function splitAddress(address: Address): AddressParts {
  const at = address.lastIndexOf('@');
  if (at < 0) return { local: address, domain: undefined };
  return { local: address.slice(0, at), domain: address.slice(at + 1) };
}

/** The domain, lower-cased; `''` for `a@` and for an address without `@`. */
export const domainOf = (address: Address): string =>
  asciiLower(splitAddress(address).domain ?? '');

/** What may stand bare before the `@`; besides, no dot first, last or twice (RFC 5321 §4.1.2 Dot-string). */
const bareLocal = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;

/** A local part as the wire and headers spell it: bare if it can be, else a quoted string (qmail's quote.c). */
export const quoteLocal = (local: string): string =>
  bareLocal.test(local) ? local : `"${local.replace(/[\r\n"\\]/g, '\\$&')}"`;

/**
 * An address with its local part quoted where needed; without `@` it stays as it is.
 * A CR, LF or NUL in it survives: `unsendable` tells, and headers use `formatHeaderAddress`.
 */
export function quoteAddress(address: Address): string {
  const { local, domain } = splitAddress(address);
  return domain === undefined ? address : `${quoteLocal(local)}@${domain}`;
}

/** `<…>` as MAIL and RCPT take it (qmail-remote). Ask `unsendable` first. */
export const formatPath = (address: Address): string => `<${quoteAddress(address)}>`;

/** Whether SMTP has no way to say this address: a NUL, CR or LF would end the command early. */
export const unsendable = (address: Address): boolean => /[\0\r\n]/.test(address);

/** An address quoted for a header line; what would break the line becomes `_`, as in qmail-local. */
export const formatHeaderAddress = (address: Address): string =>
  quoteAddress(address).replace(/[\0\r\n]/g, '_');

/** `Return-Path: <…>`, without a line end (qmail-local's RPLINE). */
export const formatReturnPath = (returnPath: Address): string =>
  `Return-Path: <${formatHeaderAddress(returnPath)}>`;

/** `Delivered-To: …`, without a line end (qmail-local's DTLINE): not quoted, but always one line. */
export const formatDeliveredTo = (recipient: Address): string =>
  `Delivered-To: ${recipient.replace(/[\0\r\n]/g, '_')}`;
