/** An agenda's table, or some letters of it, as columns: for a checkpoint, or a mark of the past. */
import { none } from './agenda-rows.ts';
import type { AgendaColumns, AgendaTable } from './agenda-table.ts';
import type { LetterNo } from './letter-ids.ts';

/** Throws `RangeError` for a letter whose name is no message id of ours. */
export function columnsOf(table: AgendaTable, some?: readonly LetterNo[]): AgendaColumns {
  const letters = some?.length ?? table.letters;
  const rows = some === undefined ? table.recipients : table.rowsIn(some);
  const numbers = new Int32Array(table.laneRoom).fill(none);
  const lanes: string[] = [];
  const to = {
    ids: new Uint32Array(4 * letters),
    held: new Uint8Array(letters),
    counts: new Uint32Array(letters),
    rcpt: new Uint32Array(rows),
    lane: new Uint32Array(rows),
    due: new Float64Array(rows),
    status: new Uint8Array(rows),
    tried: new Uint8Array(rows),
  };
  let at = 0;
  let no = 0;
  for (const letter of some ?? table.openLetters()) {
    const first = at;
    for (let row = table.firstOf(letter); row !== none; row = table.sibling[row]!) {
      const lane = table.lane[row]!;
      if (numbers[lane] === none) numbers[lane] = lanes.push(table.laneName(lane)) - 1;
      to.rcpt[at] = table.rcpt[row]!;
      to.lane[at] = numbers[lane]!;
      to.due[at] = table.due[row]!;
      to.status[at] = table.status[row]!;
      to.tried[at] = table.tried[row]!;
      at += 1;
    }
    table.copyWords(letter, to.ids, 4 * no);
    to.held[no] = table.isHeld(letter) ? 1 : 0;
    to.counts[no] = at - first;
    no += 1;
  }
  return { ...to, lanes };
}
