/** Two agendas that should say the same: the one of a checkpoint, and the one folded from the first event. */
import type { Row } from '../../projections/agenda-rows.ts';
import type { AgendaTable } from '../../projections/agenda-table.ts';
import type { LetterNo } from '../../projections/letter-ids.ts';
import type { Agenda } from '../../projections/agenda.ts';

/** What differs, in words, at most `most` of it; `[]` when they are the same. */
export function compareAgendas(folded: Agenda, saved: Agenda, most = 20): readonly string[] {
  const found: string[] = [];
  for (const difference of differences(folded, saved)) {
    found.push(difference);
    if (found.length >= most) break;
  }
  return found;
}

function* differences(folded: Agenda, saved: Agenda): Generator<string> {
  for (const letter of folded.rows.openLetters()) {
    const id = folded.rows.idOf(letter);
    const other = saved.rows.letterNo(id);
    if (other === undefined) yield `letter ${id} waits, but is not in the checkpoint`;
    else yield* letterDifferences(id, folded.rows, letter, saved.rows, other);
  }
  for (const letter of saved.rows.openLetters()) {
    const id = saved.rows.idOf(letter);
    if (!folded.rows.has(id)) yield `letter ${id} is in the checkpoint, but does not wait`;
  }
  for (const id of folded.owing)
    if (!saved.owing.has(id)) yield `letter ${id} owes a bounce, but not in the checkpoint`;
  for (const id of saved.owing)
    if (!folded.owing.has(id)) yield `letter ${id} owes a bounce only in the checkpoint`;
  for (const id of new Set([...folded.aside.keys(), ...saved.aside.keys()]))
    if (folded.aside.get(id) !== saved.aside.get(id))
      yield `letter ${id} is set aside otherwise in the checkpoint`;
}

function* letterDifferences(
  id: string,
  folded: AgendaTable,
  letter: LetterNo,
  saved: AgendaTable,
  other: LetterNo,
): Generator<string> {
  if (folded.isHeld(letter) !== saved.isHeld(other)) yield `letter ${id}: held in one of them only`;
  const theirs = new Map([...saved.rowsOf(other)].map((row) => [saved.rcpt[row]!, row]));
  for (const row of folded.rowsOf(letter)) {
    const rcpt = folded.rcpt[row]!;
    const twin = theirs.get(rcpt);
    theirs.delete(rcpt);
    if (twin === undefined) yield `letter ${id}: recipient ${rcpt} is not in the checkpoint`;
    else if (say(folded, row) !== say(saved, twin)) {
      yield `letter ${id}: recipient ${rcpt} is ${say(folded, row)}, in the checkpoint ${say(saved, twin)}`;
    }
  }
  for (const rcpt of theirs.keys())
    yield `letter ${id}: recipient ${rcpt} is in the checkpoint only`;
}

const say = (rows: AgendaTable, row: Row): string =>
  `(${rows.laneName(rows.lane[row]!)}, due ${rows.due[row]!}, status ${rows.status[row]!}, tried ${rows.tried[row]!})`;
