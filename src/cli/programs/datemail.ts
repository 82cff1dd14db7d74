#!/usr/bin/env node
import { dateField } from './lib/local-date.ts';
import { main } from './lib/main.ts';
import { prefixed } from './lib/prefixed.ts';
import { runProgram } from './lib/program.ts';
import { sendmail } from './lib/sendmail.ts';

await main('predate', (call) =>
  runProgram('sendmail', sendmail, {
    ...call,
    input: () => prefixed(dateField(Date.now()), call.input()),
  }),
);
