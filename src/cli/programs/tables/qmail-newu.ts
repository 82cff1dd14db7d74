/** qmail-newu: compiles `users/assign` into `users/cdb`. No arguments. */
import { compileAssign } from '../../../aliases/assign-cdb.ts';
import { ControlMistake } from '../../../mail/trouble.ts';
import { toBytes } from '../lib/bytes.ts';
import { tryLater, type Program } from '../lib/program.ts';
import type { TextRecord } from './table-files.ts';
import {
  install,
  systemWords,
  toPrintable,
  worldReadable,
  type TableTools,
} from './table-program.ts';

/** `assignFile`: where the configuration has `users/assign`. */
export const qmailNewu =
  ({ files }: TableTools, assignFile: () => string): Program =>
  async () => {
    const path = toBytes(assignFile());
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const place = { target: `${folder}cdb`, temporary: `${folder}cdb.tmp`, mode: worldReadable };
    let text: string;
    try {
      text = files.read(path);
    } catch (cause) {
      throw tryLater(`unable to open users/assign: ${systemWords(cause)}`);
    }
    install(place, () => files.writeCdb(place, records(text)), words);
    return 0;
  };

const words = () => ({
  create: 'unable to open users/cdb.tmp',
  write: 'unable to write users/cdb.tmp',
  move: 'unable to move users/cdb.tmp to users/cdb',
});

function* records(text: string): Generator<TextRecord> {
  try {
    yield* compileAssign(text);
  } catch (cause) {
    if (!(cause instanceof ControlMistake)) throw cause;
    throw tryLater(`bad format in ${toPrintable(cause.message)}`);
  }
}
