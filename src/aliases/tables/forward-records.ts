/**
 * A forwarding table as fastforward's database has it (setforward(1), newaliases(1)):
 *
 *     key `:` + target, data: commands, each ended by a NUL
 *     key `?` + target, data: who is the sender of what the target forwards
 *
 * A target is `user@host`, `@host` for a whole host, or `user@` for a user of any host; in lower case.
 * Texts are byte strings: one character per byte.
 */
import { asciiLower } from '../../mail/address.ts';

/** What a table does for a target. */
export type ForwardCommand =
  | { readonly kind: 'address'; readonly address: string }
  /** `bare`: it gets the letter as it is; else with a From_ line and others before it, as preline makes them. */
  | { readonly kind: 'program'; readonly command: string; readonly bare: boolean }
  /** A compiled list, relative to the directory that the table is used in where it begins with a dot. */
  | { readonly kind: 'list'; readonly file: string };

export type TextRecord = readonly [key: string, data: string];

/** Longest address in a table or list, in bytes. */
export const longestAddress = 800;

export const targetKey = (target: string): string => `:${asciiLower(target)}`;
export const ownerKey = (target: string): string => `?${asciiLower(target)}`;

/** With its NUL. */
export function formatCommand(command: ForwardCommand): string {
  switch (command.kind) {
    case 'address':
      return `&${command.address}\0`;
    case 'program':
      return `${command.bare ? '|' : '!'}${command.command}\0`;
    case 'list':
      return `${command.file}\0`;
  }
}

/** Items ended by a NUL; what no NUL ends is none. */
export const splitItems = (data: string): readonly string[] => data.split('\0').slice(0, -1);

/** What an item says; `undefined` when it is no command. */
export function parseCommand(item: string): ForwardCommand | undefined {
  switch (item[0]) {
    case '&':
      return { kind: 'address', address: item.slice(1) };
    case '|':
    case '!':
      return { kind: 'program', command: item.slice(1), bare: item[0] === '|' };
    case '.':
    case '/':
      return { kind: 'list', file: item };
    default:
      return undefined;
  }
}

/** Whether a table can hold it. */
export const isTooLong = (address: string): boolean => address.length > longestAddress;
