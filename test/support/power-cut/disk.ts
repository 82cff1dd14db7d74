/**
 * A disk that loses its power: from recorded calls, what may be found on it afterwards. Only what a finished sync
 * covers is sure. Of everything else, any part may have reached the disk, in any order, a write by sectors; a file's name is its
 * directory's, and as unsure as that (POSIX asks no more of a file system; most keep more).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Call } from './calls.ts';

/** What becomes of what no sync covers. */
export type Fate = 'lost' | 'kept' | 'some' | 'torn';

/** Less than 1, and not below 0. */
export type Random = () => number;

const sectorBytes = 512;

type Change = Extract<Call, { readonly kind: 'write' | 'truncate' }>;

type File = { readonly kind: 'file'; readonly changes: Change[]; readonly syncs: Sync[] };
type Directory = {
  readonly kind: 'directory';
  readonly entries: Map<string, Node>;
  readonly syncs: Sync[];
};
type Node = File | Directory;
type Sync = Extract<Call, { readonly kind: 'sync' }>;

/** `node` absent: the name goes. `after`: of a move to another directory, its other half, without which this did not happen. */
type Move = {
  readonly directory: Directory;
  readonly name: string;
  readonly node: Node | undefined;
  readonly after?: Move;
  readonly from: number;
  readonly to: number;
};

const newFile = (): File => ({ kind: 'file', changes: [], syncs: [] });
const newDirectory = (): Directory => ({ kind: 'directory', entries: new Map(), syncs: [] });

export class Disk {
  readonly #root: string;
  readonly #top = newDirectory();
  /** In the order of the recording. */
  readonly #moves: Move[] = [];

  /** `root` was there, and empty, when the recording began. What lies elsewhere is not looked at. */
  constructor(root: string, calls: readonly Call[]) {
    this.#root = root;
    for (const call of calls) this.#take(call);
  }

  /** Writes what is left after a cut just before that line of the recording into an empty directory. */
  leave(target: string, line: number, fate: Fate, random: Random): void {
    const names = this.#names(line, fate, random);
    const lay = (directory: Directory, path: string): void => {
      mkdirSync(path, { recursive: true });
      for (const [name, node] of names.get(directory) ?? []) {
        if (node.kind === 'directory') lay(node, join(path, name));
        else writeFileSync(join(path, name), contentOf(node, line, fate, random));
      }
    };
    lay(this.#top, target);
  }

  /** What a file holds when nothing is lost. */
  content(path: string): Buffer | undefined {
    const node = this.#find(path);
    return node?.kind === 'file' ? contentOf(node, Infinity, 'kept', () => 0) : undefined;
  }

  /** All files, by their paths below the root. */
  files(): readonly string[] {
    const walk = (directory: Directory, path: string): string[] =>
      [...directory.entries].flatMap(([name, node]) =>
        node.kind === 'directory' ? walk(node, join(path, name)) : [join(path, name)],
      );
    return walk(this.#top, '');
  }

  #take(call: Call): void {
    if (call.kind === 'say' || !this.#isOurs(call.path)) return;
    switch (call.kind) {
      case 'write':
      case 'truncate':
        this.#file(call.path)?.changes.push(call);
        break;
      case 'sync':
        this.#find(call.path)?.syncs.push(call);
        break;
      case 'create': {
        const known = this.#file(call.path);
        if (known === undefined) this.#put(call.path, newFile(), call);
        else if (call.empties) known.changes.push({ ...call, kind: 'truncate', size: 0 });
        break;
      }
      case 'mkdir':
        this.#put(call.path, newDirectory(), call);
        break;
      case 'link': {
        const node = this.#find(call.path);
        if (node !== undefined) this.#put(call.target, node, call);
        break;
      }
      case 'rename': {
        const node = this.#find(call.path);
        if (node === undefined) break;
        const put = this.#put(call.target, node, call);
        this.#put(call.path, undefined, call, put);
        break;
      }
      case 'unlink':
        this.#put(call.path, undefined, call);
        break;
    }
  }

  #put(path: string, node: Node | undefined, { from, to }: Call, after?: Move): Move | undefined {
    const directory = this.#find(dirname(path));
    if (directory?.kind !== 'directory') return undefined;
    const name = basename(path);
    const move = { directory, name, node, from, to, ...(after === undefined ? {} : { after }) };
    this.#moves.push(move);
    if (node === undefined) directory.entries.delete(name);
    else directory.entries.set(name, node);
    return move;
  }

  /** Which names are left in each directory. */
  #names(line: number, fate: Fate, random: Random): Map<Directory, Map<string, Node>> {
    const names = new Map<Directory, Map<string, Node>>();
    const happened = new Set<Move>();
    for (const move of this.#moves) {
      if (move.from >= line) break;
      const { directory, name, node, after } = move;
      const isKept = isSure(directory.syncs, move, line) || isLucky(fate, random);
      if (!isKept || (after !== undefined && !happened.has(after))) continue;
      happened.add(move);
      const left = names.get(directory) ?? new Map<string, Node>();
      names.set(directory, left);
      if (node === undefined) left.delete(name);
      else left.set(name, node);
    }
    return names;
  }

  #file(path: string): File | undefined {
    const node = this.#find(path);
    return node?.kind === 'file' ? node : undefined;
  }

  #find(path: string): Node | undefined {
    if (!this.#isOurs(path)) return undefined;
    let node: Node | undefined = this.#top;
    for (const name of relative(this.#root, path).split('/').filter(Boolean)) {
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    }
    return node;
  }

  #isOurs(path: string): boolean {
    return path === this.#root || path.startsWith(`${this.#root}/`);
  }
}

/** Whether a sync that began after it was over before the cut. */
const isSure = (syncs: readonly Sync[], { to }: { readonly to: number }, line: number): boolean =>
  syncs.some((sync) => sync.from > to && sync.to < line);

const isLucky = (fate: Fate, random: Random): boolean =>
  fate === 'kept' || (fate !== 'lost' && random() < 0.5);

function contentOf({ changes, syncs }: File, line: number, fate: Fate, random: Random): Buffer {
  let size = 0;
  let bytes = Buffer.alloc(0);
  const grow = (wanted: number): void => {
    size = Math.max(size, wanted);
    if (wanted <= bytes.byteLength) return;
    const larger = Buffer.alloc(Math.max(wanted, 2 * bytes.byteLength));
    bytes.copy(larger);
    bytes = larger;
  };
  for (const change of changes) {
    if (change.from >= line) break;
    const isWhole = isSure(syncs, change, line) || isLucky(fate, random);
    if (change.kind === 'truncate') {
      if (!isWhole) continue;
      if (change.size < size) bytes.fill(0, change.size, size);
      grow(change.size);
      size = change.size;
    } else if (isWhole) {
      grow(change.at + change.bytes.byteLength);
      change.bytes.copy(bytes, change.at);
    } else if (fate === 'torn') {
      for (const [from, to] of sectors(change)) {
        if (random() < 0.5) continue;
        grow(change.at + to);
        change.bytes.copy(bytes, change.at + from, from, to);
      }
    }
  }
  return bytes.subarray(0, size);
}

/** The pieces of a write that lie in sectors of their own. */
function* sectors({ at, bytes }: { readonly at: number; readonly bytes: Buffer }) {
  for (let from = 0; from < bytes.byteLength;) {
    const to = Math.min(bytes.byteLength, from + sectorBytes - ((at + from) % sectorBytes));
    yield [from, to] as const;
    from = to;
  }
}
