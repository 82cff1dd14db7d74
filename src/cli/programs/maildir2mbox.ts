#!/usr/bin/env node
import { main } from './lib/main.ts';
import { maildir2mbox } from './mailboxes/maildir2mbox.ts';
import { systemLocks } from './mailboxes/system-locks.ts';

await main('maildir2mbox', maildir2mbox(systemLocks));
