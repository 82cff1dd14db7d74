/**
 * `node test/bench/seed-run.ts --data DIR …`: seeds a data directory by hand, to look at a large queue or a long
 * log without waiting for it. No engine may run there. Needs no mail server.
 *
 * --data DIR, and one of: --backlog N (deferred recipients; --recipients-per-letter N; due between --due-from
 * and --due-to hours from now, 1 and 25), --events N (a past of at least so many events). --due-now N: so many
 * more that fall due at once. --bytes N (1024) of each body; --domain NAME and --port N: where the letters go,
 * dead.test and 9.
 */
import { parseArgs } from 'node:util';
import { openProgress } from '../../src/cli/progress.ts';
import { seedBacklog, seedHistory, type Seeded } from './seed/seed.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    backlog: { type: 'string', default: '0' },
    'recipients-per-letter': { type: 'string', default: '1' },
    'due-from': { type: 'string', default: '1' },
    'due-to': { type: 'string', default: '25' },
    'due-now': { type: 'string', default: '0' },
    events: { type: 'string', default: '0' },
    bytes: { type: 'string', default: '1024' },
    domain: { type: 'string', default: 'dead.test' },
    port: { type: 'string', default: '9' },
  },
});
const { data: dataDir } = values;
if (dataDir === undefined) {
  console.error('seed: --data says which directory to fill');
  process.exit(100);
}
const now = Date.now();
const progress = openProgress('seeding');
const common = {
  ...{ dataDir, now, bytes: Number(values.bytes) },
  to: { domain: values.domain, port: Number(values.port) },
  onProgress: (done: number, of: number) => progress.tell(done, of, 'letters'),
};
const hours = (text: string) => now + Number(text) * 3_600_000;
const tell = (what: string, { letters, recipients, events, position }: Seeded): void => {
  progress.end();
  const amounts = `${letters} letters, ${recipients} recipients, ${events} events`;
  console.log(`${what}: ${amounts}; the log ends at position ${position}`);
};

if (Number(values.events) > 0) {
  tell('past', await seedHistory({ ...common, events: Number(values.events) }));
}
const backlog = { ...common, recipientsPerLetter: Number(values['recipients-per-letter']) };
if (Number(values.backlog) > 0) {
  const due = { dueFrom: hours(values['due-from']), dueTo: hours(values['due-to']) };
  tell('backlog', await seedBacklog({ ...backlog, ...due, recipients: Number(values.backlog) }));
}
if (Number(values['due-now']) > 0) {
  const due = { dueFrom: now, dueTo: now };
  tell('due', await seedBacklog({ ...backlog, ...due, recipients: Number(values['due-now']) }));
}
