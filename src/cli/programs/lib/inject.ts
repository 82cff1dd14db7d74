/** qmail-inject: completes a letter and queues it. */
import { readFileSync } from 'node:fs';
import { parseList } from '../../../control/readers.ts';
import { headerReader, type Header } from '../../../ingress/inject/header-reader.ts';
import {
  composer,
  isRefusal,
  type Composed,
  type InjectRequest,
} from '../../../ingress/inject/letter.ts';
import { injectSettings } from '../../../ingress/inject/settings.ts';
import { asciiLower, formatReturnPath } from '../../../mail/address.ts';
import { toBytes, toText } from './bytes.ts';
import { writeDescriptor } from './descriptors.ts';
import { readInjectControls } from './inject-controls.ts';
import { illegalOption, parseOptions } from './options.ts';
import { placesOf } from './places.ts';
import { never, tryLater, type Call, type Environment } from './program.ts';
import { openQueueLetter, requireQueued } from './queue-letter.ts';

const LF = 10;

/** `qmail-inject [-nNaAhH] [-fSENDER] [--] [recipient ...]` */
export async function inject(call: Call): Promise<number> {
  const env = byteStrings(call.env);
  const controls = readInjectControls(placesOf(call.env).config);
  const { dry, ...request } = readArguments(call.args);
  const work = composer({
    ...request,
    settings: injectSettings(env, controls),
    lists: readLists(call.env['QMAILMFTFILE']),
    at: Date.now(),
    pid: process.pid,
  });
  if ('refusal' in work) throw refused(work.refusal);

  const input = reading(call.input());
  const header = await readHeader(input);
  const composed = work.compose(header.fields);
  if (isRefusal(composed)) throw refused(composed.refusal.replace(/\n$/, ''));
  if (request.from !== 'arguments') warn(composed, call.say);
  const body = throughLastLine(header.rest, input);
  await (dry ? print(composed, body) : queue(composed, body, call.env));
  return 0;
}

/** A byte string for people. */
const shown = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

const refused = (bytes: string) => never(shown(bytes));

const byteStrings = (env: Environment): Environment =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value === undefined ? undefined : toBytes(value),
    ]),
  );

type Arguments = Pick<InjectRequest, 'from' | 'args' | 'sender'> & { readonly dry: boolean };

/** The last of conflicting options counts. */
function readArguments(args: readonly string[]): Arguments {
  const parsed = parseOptions(args, 'aAhHnNf:');
  if ('illegal' in parsed) throw illegalOption(parsed);
  const words = parsed.rest.map(toBytes);
  const all = { a: 'arguments', h: 'header', H: 'both' } as const;
  let from: InjectRequest['from'] = words.length > 0 ? 'arguments' : 'header';
  const standard = from;
  let sender: string | undefined;
  let dry = false;
  for (const { letter, value } of parsed.options) {
    if (letter === 'f') sender = toBytes(value);
    else if (letter === 'n' || letter === 'N') dry = letter === 'n';
    else from = letter === 'A' ? standard : all[letter as keyof typeof all];
  }
  return { from, args: words, sender, dry };
}

/** Lists named in QMAILMFTFILE; a file that cannot be read turns the feature off. */
function readLists(file: string | undefined): ReadonlySet<string> | undefined {
  if (file === undefined) return undefined;
  try {
    const { value } = parseList(readFileSync(file, 'latin1'));
    return new Set(value.map(({ text }) => asciiLower(text)));
  } catch {
    return undefined;
  }
}

/** Reading what fails is for later: nobody has been told anything. */
async function* reading(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* input;
  } catch {
    throw tryLater('read error');
  }
}

async function readHeader(input: AsyncGenerator<Buffer>): Promise<Header> {
  const reader = headerReader();
  for (;;) {
    const next: IteratorResult<Buffer, unknown> = await input.next();
    if (next.done === true) return reader.end();
    const header = reader.push(next.value.toString('latin1'));
    if (header !== undefined) return header;
  }
}

/** A last line without its end gets one. */
async function* throughLastLine(
  rest: string,
  input: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  let last = LF;
  if (rest !== '') {
    yield Buffer.from(rest, 'latin1');
    last = rest.charCodeAt(rest.length - 1);
  }
  for await (const chunk of input) {
    yield chunk;
    last = chunk.at(-1) ?? last;
  }
  if (last !== LF) yield Buffer.of(LF);
}

/** Not silently: what could not be read may have been somebody's address. */
function warn({ doubtful }: Composed, say: Call['say']): void {
  for (const field of doubtful) {
    say(shown(`qmail-inject: warning: unable to parse this line:\n${field}`));
  }
}

async function print({ sender, header }: Composed, body: AsyncIterable<Buffer>): Promise<void> {
  writeDescriptor(1, Buffer.from(`${formatReturnPath(sender)}\n${header}`, 'latin1'));
  for await (const chunk of body) writeDescriptor(1, chunk);
}

async function queue(
  { sender, recipients, header }: Composed,
  body: AsyncIterable<Buffer>,
  env: Environment,
): Promise<void> {
  const envelope = { sender: envelopeText(sender), recipients: recipients.map(envelopeText) };
  const letter = await openQueueLetter(env);
  await letter.write(Buffer.from(header, 'latin1'));
  for await (const chunk of body) await letter.write(chunk);
  requireQueued(await letter.finish(envelope));
}

/** Envelope addresses are text; bytes that are none can be nobody's address. */
function envelopeText(bytes: string): string {
  const text = toText(bytes);
  if (text === undefined || text.includes('\0')) throw refused(`unable to parse address: ${bytes}`);
  return text;
}
