#!/usr/bin/env node
import { systemClock as clock } from '../../platform/clock.ts';
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';
import { engineTcpto, qmailTcpto } from './readers/tcpto.ts';

await main('qmail-tcpto', qmailTcpto({ withTcpto: engineTcpto, clock, print }));
