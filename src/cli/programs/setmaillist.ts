#!/usr/bin/env node
import { setmaillist } from './tables/setmaillist.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('setmaillist', setmaillist);
