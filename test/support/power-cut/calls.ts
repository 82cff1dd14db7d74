/**
 * What processes asked of the file system, and what they told their clients, in the order in which the kernel was
 * asked: the lines of `strace -f -y -xx`, with calls that were interrupted put together again.
 */
import { resolve } from 'node:path';

/** Line numbers in the recording: when the kernel was asked, and when it had answered. */
type Span = { readonly from: number; readonly to: number };

export type Call = Span &
  (
    | { readonly kind: 'write'; readonly path: string; readonly at: number; readonly bytes: Buffer }
    | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
    | { readonly kind: 'sync'; readonly path: string }
    /** A file that was not there; `empties`: one that was, too. */
    | { readonly kind: 'create'; readonly path: string; readonly empties: boolean }
    | { readonly kind: 'mkdir'; readonly path: string }
    | { readonly kind: 'rename' | 'link'; readonly path: string; readonly target: string }
    | { readonly kind: 'unlink'; readonly path: string }
    /** Bytes to a client. */
    | { readonly kind: 'say'; readonly bytes: Buffer }
  );

/** What must be recorded. */
export const callNames =
  'openat,write,writev,pwrite64,pwritev,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,' +
  'mkdir,mkdirat,rmdir,fsync,fdatasync';

/** What a string may have; beyond it strace cuts. */
export const longestString = 1_200_000;

type Traced = Span & {
  readonly name: string;
  readonly args: readonly string[];
  readonly result: string;
};

/** Paths that are not absolute begin at `directory`. Throws for a recording that has a hole. */
export function toCalls(lines: readonly string[], directory: string): Call[] {
  const place = (text: string): string => resolve(directory, text);
  /** How far each descriptor's file has been written by calls that name no place. */
  const ends = new Map<string, number>();
  const calls: Call[] = [];
  for (const traced of toTraced(lines)) {
    const call = toCall(traced, place, ends);
    if (call !== undefined) calls.push(call);
  }
  return calls.sort((a, b) => a.from - b.from);
}

function* toTraced(lines: readonly string[]): Generator<Traced> {
  const begun = new Map<string, { readonly text: string; readonly from: number }>();
  for (const [to, line] of lines.entries()) {
    const [, task = '', said = ''] = /^(?:\[pid +)?([0-9]+)\]? +(.*)$/s.exec(line) ?? [];
    if (said.endsWith('<unfinished ...>')) {
      begun.set(task, { text: said.slice(0, -'<unfinished ...>'.length), from: to });
      continue;
    }
    const resumed = /^<\.\.\. [a-z0-9_]+ resumed>/.exec(said);
    const before = resumed === null ? undefined : begun.get(task);
    if (resumed !== null) begun.delete(task);
    const text = resumed === null ? said : `${before?.text ?? ''}${said.slice(resumed[0].length)}`;
    const open = text.indexOf('(');
    const close = text.lastIndexOf(') ');
    const equals = text.lastIndexOf('= ');
    if (open < 1 || close < open || equals < close) continue;
    yield {
      ...{ name: text.slice(0, open), args: partsOf(text.slice(open + 1, close)) },
      ...{ result: text.slice(equals + 2), from: before?.from ?? to, to },
    };
  }
}

/** At commas that stand in no string, no list, no name of a file. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if ('[{<'.includes(char)) depth += 1;
    else if (']}>'.includes(char)) depth -= 1;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

function toCall(
  { name, args, result, from, to }: Traced,
  place: (text: string) => string,
  ends: Map<string, number>,
): Call | undefined {
  if (!/^[0-9]/.test(result)) return undefined;
  const span = { from, to };
  const opened = (text: string | undefined): string => pathIn(text) ?? '';
  switch (name) {
    case 'write':
    case 'writev':
    case 'pwrite64':
    case 'pwritev': {
      const path = opened(args[0]);
      const isFile = path.startsWith('/');
      if (!isFile && !path.startsWith('socket:')) return undefined;
      const bytes = bytesIn(args[1] ?? '').subarray(0, Number.parseInt(result, 10));
      if (!isFile) return { kind: 'say', bytes, ...span };
      const isPlaced = name.startsWith('p') && !args.at(-1)!.startsWith('-');
      const at = isPlaced ? Number(args.at(-1)) : (ends.get(path) ?? 0);
      if (!isPlaced) ends.set(path, at + bytes.byteLength);
      return { kind: 'write', path, at, bytes, ...span };
    }
    case 'ftruncate':
      return { kind: 'truncate', path: opened(args[0]), size: Number(args[1]), ...span };
    case 'fsync':
    case 'fdatasync':
      return { kind: 'sync', path: opened(args[0]), ...span };
    case 'openat': {
      if (!/\bO_(CREAT|TRUNC)\b/.test(args[2] ?? '')) return undefined;
      const path = opened(result);
      ends.set(path, 0);
      return { kind: 'create', path, empties: /\bO_TRUNC\b/.test(args[2]!), ...span };
    }
    case 'mkdir':
      return { kind: 'mkdir', path: place(textIn(args[0])), ...span };
    case 'rename':
    case 'link': {
      const [path, target] = [place(textIn(args[0])), place(textIn(args[1]))];
      ends.set(target, ends.get(path) ?? 0);
      return { kind: name, path, target, ...span };
    }
    case 'unlink':
    case 'rmdir':
      return { kind: 'unlink', path: place(textIn(args[0])), ...span };
    default:
      throw new Error(`a call that nobody here understands: ${name}(${args.join(', ')})`);
  }
}

const unescaped = (text: string): Buffer =>
  Buffer.from(text.replace(/\\x([0-9a-f]{2})/g, '$1'), 'hex');

/** `23</data/log/waybill.db>`, hex as everything. */
function pathIn(text = ''): string | undefined {
  const name = /<([^>]*)>/.exec(text)?.[1];
  return name === undefined || !name.startsWith('\\x') ? name : unescaped(name).toString('utf8');
}

const textIn = (text = ''): string => bytesIn(text).toString('utf8');

/** Of a string, or of a list of them. */
function bytesIn(text: string): Buffer {
  const strings = [...text.matchAll(/"([^"]*)"(\.\.\.)?/g)];
  if (strings.some(([, , cut]) => cut !== undefined)) {
    throw new Error('the recording has only the beginning of what was written');
  }
  return Buffer.concat(strings.map(([, hex = '']) => unescaped(hex)));
}
