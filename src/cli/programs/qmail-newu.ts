#!/usr/bin/env node
import { assignFileOf } from '../../control/config-words.ts';
import { placesOf } from './lib/places.ts';
import { qmailNewu } from './tables/qmail-newu.ts';
import { tableMain } from './tables/table-main.ts';

/** waybill.toml may have it elsewhere. */
const assignFile = (): string =>
  assignFileOf({ dir: placesOf(process.env).config, env: process.env });

await tableMain('qmail-newu', (tools) => qmailNewu(tools, assignFile));
