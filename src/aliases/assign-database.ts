/** `users/cdb` on disk (qmail-newu): while it is there, it alone says whose mail is whose, as with qmail. */
import { cdbAt } from '../platform/cdb-file.ts';
import { findAssigned } from './assign-cdb.ts';
import type { Assignment } from './assign.ts';

/** Finds a local part in the database. Throws when it cannot be read. */
export type FindAssigned = (local: string) => Assignment | undefined;

/** The database as it lies there now; `undefined` when there is none. A new one counts from the next look-up on. */
export function assignDatabase(path: string): () => FindAssigned | undefined {
  const place = cdbAt(path);
  return () => {
    const cdb = place.current();
    return cdb && ((local) => findAssigned(cdb.get, local));
  };
}
