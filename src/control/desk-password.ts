/** The desk's password: whether there is one, and that there is one where the desk can be reached from elsewhere. */
import { join } from 'node:path';
import { isLoopback } from '../mail/ip-address.ts';
import { ControlMistake } from '../mail/trouble.ts';
import { parsePasswordHash } from '../platform/password-hash.ts';
import type { Config } from './config.ts';
import { readOperatorsFile } from './operators-file.ts';
import { lineOfSetting } from './toml-lines.ts';

/** Its line, or `undefined`. Throws `ControlMistake` for a file that holds none, and for a desk that must have one. */
export function readDeskPassword({ desk, dir }: Pick<Config, 'desk' | 'dir'>): string | undefined {
  const line = readOperatorsFile(desk.passwordFile)?.toString('utf8').trim();
  if (line !== undefined && parsePasswordHash(line) === undefined) {
    throw new ControlMistake(
      desk.passwordFile,
      1,
      'not the hash of a password: `waybill desk password` writes one',
    );
  }
  const { enabled, listen } = desk;
  if (line !== undefined || !enabled || listen === undefined || isLoopback(listen.host))
    return line;
  const file = join(dir, 'waybill.toml');
  throw new ControlMistake(
    file,
    lineOfSetting(file, ['desk', 'listen']),
    `desk.listen: ${listen.host} can be reached from elsewhere, and there is no password: ` +
      'run `waybill desk password` first, or listen on 127.0.0.1',
  );
}
