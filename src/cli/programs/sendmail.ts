#!/usr/bin/env node
import { basename } from 'node:path';
import { main } from './lib/main.ts';
import { sendmail } from './lib/sendmail.ts';

// As mailq and newaliases it is a link to sendmail.
const calledAs = basename(process.argv[1] ?? '').replace(/\.[a-z]+$/, '');
await main('sendmail', (call) => sendmail(call, calledAs));
