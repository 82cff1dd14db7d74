#!/usr/bin/env node
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { assignFileOf } from '../../control/config-words.ts';
import { errnoOf } from '../../platform/errno.ts';
import { placesOf } from './lib/places.ts';
import { tableMain } from './tables/table-main.ts';
import { qmailPw2u } from './users/qmail-pw2u.ts';

/** Where the configuration has `users/assign`. */
const directory = (): string =>
  dirname(assignFileOf({ dir: placesOf(process.env).config, env: process.env }));

function ownerOfHome(home: string): number | undefined {
  try {
    return statSync(Buffer.from(home, 'latin1')).uid;
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(cause) ?? '')) return undefined;
    throw cause;
  }
}

await tableMain('qmail-pw2u', (tools) => qmailPw2u(tools, { directory, ownerOfHome }));
