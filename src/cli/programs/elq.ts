#!/usr/bin/env node
import { main } from './lib/main.ts';
import { mailReader } from './mailboxes/mail-reader.ts';

await main('elq', mailReader('elm'));
