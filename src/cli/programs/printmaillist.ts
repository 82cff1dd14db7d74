#!/usr/bin/env node
import { printmaillist } from './tables/printmaillist.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('printmaillist', printmaillist);
