#!/usr/bin/env node
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';
import { qmailQread } from './readers/qmail-qread.ts';

await main('qmail-qread', qmailQread({ print }));
