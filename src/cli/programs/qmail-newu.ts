#!/usr/bin/env node
import { readConfig } from '../../control/config.ts';
import { placesOf } from './lib/places.ts';
import { qmailNewu } from './tables/qmail-newu.ts';
import { tableMain } from './tables/table-main.ts';

/** waybill.toml may have it elsewhere; an administrator's program can take the time to read it. */
function assignFile(): string {
  const { config, data } = placesOf(process.env);
  return readConfig({ dir: config, data, env: process.env }).local.users;
}

await tableMain('qmail-newu', (tools) => qmailNewu(tools, assignFile));
