/**
 * The stand-in as a process: `node test/support/kurrent/stand-in-run.ts [PORT] [FILE]`. In memory, or kept
 * in FILE. Says where it listens in one line, with USR2 how many appends it has taken, by kind of stream (on stderr),
 * and stops with TERM.
 */
import { keepOnDisk } from './journal.ts';
import { StandIn } from './stand-in.ts';
import { Store } from './store.ts';

const [port = '2113', file] = process.argv.slice(2);
const store = new Store();
const settled = file === undefined ? undefined : keepOnDisk(store, file);
const server = await new StandIn({
  ...{ store, port: Number(port) },
  ...(settled === undefined ? {} : { settled }),
}).start();
const taken: Record<string, number> = {};
const append = store.append.bind(store);
store.append = (stream, ...rest) => {
  const kind = stream.slice(0, stream.indexOf('-'));
  taken[kind] = (taken[kind] ?? 0) + 1;
  return append(stream, ...rest);
};
process.on('SIGUSR2', () => console.error(JSON.stringify(taken)));
console.log(server.url());
process.on('SIGTERM', () => process.exit(0)).on('SIGINT', () => process.exit(0));
