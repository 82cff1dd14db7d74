#!/usr/bin/env node
import { qmailNewmrh } from './tables/qmail-newmrh.ts';
import { tableMain } from './tables/table-main.ts';

await tableMain('qmail-newmrh', qmailNewmrh);
