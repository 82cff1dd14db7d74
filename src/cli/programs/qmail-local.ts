#!/usr/bin/env node
import { ourProcesses } from './delivery/our-processes.ts';
import { qmailLocal } from './delivery/qmail-local.ts';
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';

process.umask(0o077);
await main('qmail-local', qmailLocal({ stdin: 0, print, processes: ourProcesses }));
