/**
 * Finds streams by a part of their name, through the index of the embedded log alone: what a person
 * asks who has half an id. Reads only; works while an engine writes.
 */
import type { StreamName } from '../ports.ts';
import { toStreamName, type StreamKey } from './rows.ts';
import { openForReading } from './schema.ts';
import { toTrouble } from './sqlite-trouble.ts';

export type StreamFinder = {
  /** Streams of letters whose id begins or ends with these hex digits (blanks and dashes do not count). */
  letters(part: string, limit: number): readonly StreamName[];
  /** Streams of a category other than `message`, such as `node`. */
  category(name: string): readonly StreamName[];
  close(): void;
};

export function openStreamFinder(file: string): StreamFinder {
  const db = openForReading(file);
  const reading = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      throw toTrouble(cause);
    }
  };
  const distinct = 'SELECT DISTINCT stream FROM event INDEXED BY event_stream WHERE';
  const beginning = db.prepare(`${distinct} stream >= ? AND stream <= ? LIMIT ?`);
  const ending = db.prepare(
    `${distinct} typeof(stream) = 'blob' AND rev = 0 AND substr(hex(stream), -?1) = ?2 LIMIT ?3`,
  );
  const texts = db.prepare(`${distinct} stream >= ? AND stream < ?`);
  return {
    letters: (part, limit) =>
      reading(() => {
        const digits = part.replace(/[-\s]/g, '').toLowerCase();
        if (!/^[0-9a-f]{1,32}$/.test(digits)) return [];
        const from = Buffer.from(digits.padEnd(32, '0'), 'hex');
        const to = Buffer.from(digits.padEnd(32, 'f'), 'hex');
        const found = namesOf(beginning.all(from, to, limit));
        // Of a whole id there is nothing else to find, and looking at the ends walks over all letters.
        if (found.length < limit && digits.length < 32) {
          found.push(...namesOf(ending.all(digits.length, digits.toUpperCase(), limit)));
        }
        return [...new Set(found)].slice(0, limit);
      }),
    // '.' is what follows '-' in ASCII.
    category: (name) => reading(() => namesOf(texts.all(`${name}-`, `${name}.`))),
    close: () => db.close(),
  };
}

const namesOf = (rows: unknown): StreamName[] =>
  (rows as { stream: StreamKey }[]).map(({ stream }) => toStreamName(stream));
