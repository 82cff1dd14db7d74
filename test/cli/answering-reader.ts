/**
 * A consumer of the log as somebody might write it, run as a process of its own and killed at any moment:
 * starts `waybill log --follow --checkpoint NAME --ack`, keeps what it hears in a file, answers, and starts
 * it again when it ends. Arguments: the data directory, the file, the program that is `waybill`.
 *
 * The file holds each event once: what is heard again after a kill is known by its position.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [data, file, main] = process.argv.slice(2) as [string, string, string];
const kept = existsSync(file) ? readFileSync(file, 'latin1').trimEnd().split('\n') : [];
let last = Number(kept.at(-1) ?? 0);
const out = openSync(file, 'a');

function follow(): void {
  const args = ['--data', data, 'log', '--follow', '--checkpoint', 'reader', '--ack', '--urgent'];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => undefined);
  console.log(`follower ${child.pid}`);
  createInterface({ input: child.stdout }).on('line', (line) => {
    // One that was killed in the middle of a line has not said it.
    const position = line.endsWith('}') ? (JSON.parse(line) as { position: number }).position : 0;
    if (position === 0) return;
    if (position > last) writeSync(out, `${position}\n`);
    else appendFileSync(`${file}.again`, `${position}\n`);
    last = Math.max(last, position);
    child.stdin.write(`${position}\n`);
  });
  child.on('close', () => setTimeout(follow, 50));
}
follow();
