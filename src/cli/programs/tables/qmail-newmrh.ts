/** qmail-newmrh: compiles `control/morercpthosts` into `control/morercpthosts.cdb`. No arguments. */
import { asciiLower } from '../../../mail/address.ts';
import { parseList } from '../../../control/readers.ts';
import { toBytes } from '../lib/bytes.ts';
import { placesOf } from '../lib/places.ts';
import type { Program } from '../lib/program.ts';
import { install, readOrDie, worldReadable, type TableTools } from './table-program.ts';

const source = 'control/morercpthosts';

export const qmailNewmrh =
  ({ files }: TableTools): Program =>
  async ({ env }) => {
    const path = `${toBytes(placesOf(env).config)}/${source}`;
    const place = { target: `${path}.cdb`, temporary: `${path}.tmp`, mode: worldReadable };
    const hosts = parseList(readOrDie(files, path, source)).value;
    const records = hosts.map(({ text }) => [asciiLower(text), ''] as const);
    install(place, () => files.writeCdb(place, records), words);
    return 0;
  };

const words = () => ({
  create: `unable to write to ${source}.tmp`,
  write: `unable to write to ${source}.tmp`,
  move: `unable to move ${source}.tmp to ${source}.cdb`,
});
