/** What an agenda says, in plain values that can be compared. */
import { rowStatus } from '../../projections/agenda-rows.ts';
import type { Agenda } from '../../projections/agenda.ts';

export type RowView = {
  readonly rcpt: number;
  readonly lane: string;
  readonly due: number;
  readonly status: 'waiting' | 'attempting';
  readonly tried: boolean;
};

export type LetterView = { readonly held: boolean; readonly rows: readonly RowView[] };
export type AgendaView = {
  readonly letters: { readonly [id: string]: LetterView };
  readonly owing: readonly string[];
  readonly aside: readonly string[];
};

export function viewOf({ rows, owing, aside }: Agenda): AgendaView {
  const letters = [...rows.openLetters()].map((letter): [string, LetterView] => {
    const own = [...rows.rowsOf(letter)].map((row) => ({
      rcpt: rows.rcpt[row]!,
      lane: rows.laneName(rows.lane[row]!),
      due: rows.due[row]!,
      status: nameOf(rows.status[row]!),
      tried: rows.tried[row] === 1,
    }));
    return [rows.idOf(letter), { held: rows.isHeld(letter), rows: own }];
  });
  return { letters: Object.fromEntries(letters), owing: [...owing], aside: [...aside.keys()] };
}

function nameOf(status: number): 'waiting' | 'attempting' {
  if (status === rowStatus.waiting) return 'waiting';
  if (status === rowStatus.attempting) return 'attempting';
  throw new Error(`a row in the chain of a letter has status ${status}`);
}
