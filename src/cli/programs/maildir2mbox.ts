#!/usr/bin/env node
import { systemClock } from '../../platform/clock.ts';
import { main } from './lib/main.ts';
import { maildir2mbox } from './mailboxes/maildir2mbox.ts';

await main('maildir2mbox', maildir2mbox({ clock: systemClock }));
