#!/usr/bin/env node
import { main } from './lib/main.ts';
import { maildirmake } from './mailboxes/maildirmake.ts';

await main('maildirmake', maildirmake);
