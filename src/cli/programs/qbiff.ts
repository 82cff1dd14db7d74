#!/usr/bin/env node
import { main } from './lib/main.ts';
import { qbiff, systemTerminals } from './mailboxes/qbiff.ts';

await main('qbiff', qbiff({ terminals: systemTerminals, uid: process.getuid?.() ?? -1 }));
