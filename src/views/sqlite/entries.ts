/**
 * Where an entry of the index stands: its letter's position, then its number. Positions in an event store are
 * bytes: with the number behind them they may be more than a double holds, and less than an integer of SQLite.
 */
import type { Position } from '../../log/ports.ts';
import { entriesPerLetter } from '../terms.ts';

/** Entries at it and beyond do not fit. */
export const lastPosition: Position = 2 ** 51 - 1;

const numberBits = BigInt(Math.log2(entriesPerLetter));

export const placeOf = (letter: Position, entry: number): bigint =>
  (BigInt(letter) << numberBits) | BigInt(entry);

/** In SQL: the letter of an entry. */
export const letterOfEntry = `rowid >> ${numberBits}`;
