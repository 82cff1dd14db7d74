#!/usr/bin/env node
import { qmailRemote } from './delivery/qmail-remote.ts';
import { remoteParts } from './delivery/remote-parts.ts';
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';

await main(
  'qmail-remote',
  qmailRemote({ stdin: 0, print, prepare: () => remoteParts(process.env) }),
);
