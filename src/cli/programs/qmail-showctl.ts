#!/usr/bin/env node
import { join } from 'node:path';
import { readWords } from '../../control/config-words.ts';
import { systemAccounts, type SystemAccount } from '../../platform/system-accounts.ts';
import { main } from './lib/main.ts';
import { placesOf } from './lib/places.ts';
import { print } from './lib/print.ts';
import { controlFilesIn } from './readers/control-files.ts';
import { qmailShowctl, type ShowctlFacts } from './readers/qmail-showctl.ts';

const { config } = placesOf(process.env);

/** Whoever does here what each of qmail's accounts did there; waybill.toml names them. */
function facts(): ShowctlFacts {
  const users = readWords('users', { dir: config, env: process.env });
  const { account, gid } = systemAccounts();
  const find = (named: string): SystemAccount | undefined => account(named.split(':')[0] ?? '');
  const [alias, door, queue, remote] = [users.alias, users.door, users.queue, users.remote].map(
    find,
  );
  const group = (named: string): number | undefined => {
    const own = named.split(':')[1];
    return own === undefined ? find(named)?.gid : gid(own);
  };
  return {
    home: config,
    uids: [alias?.uid, door?.uid, queue?.uid, 0, 0, queue?.uid, remote?.uid, queue?.uid],
    gids: [group(users.door), group(users.queue)],
  };
}

await main(
  'qmail-showctl',
  qmailShowctl({ files: controlFilesIn(join(config, 'control')), facts, print }),
);
