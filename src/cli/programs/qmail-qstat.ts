#!/usr/bin/env node
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';
import { qmailQstat } from './readers/qmail-qstat.ts';

await main('qmail-qstat', qmailQstat({ print }));
