#!/usr/bin/env node
import { setInterval } from 'node:timers/promises';
import { systemClock } from '../../platform/clock.ts';
import { main } from './lib/main.ts';
import { print } from './lib/print.ts';
import { maildirwatch } from './mailboxes/maildirwatch.ts';

async function* nowAndEvery(ms: number): AsyncGenerator<unknown> {
  yield undefined;
  yield* setInterval(ms);
}

await main('maildirwatch', maildirwatch({ clock: systemClock, print, looks: nowAndEvery(30_000) }));
