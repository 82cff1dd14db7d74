/**
 * What a projection in the event store's language says it is: which events, how they are divided, what becomes
 * of them. The file runs once, in a world of its own with the language's functions and nothing else.
 */
import { createContext, Script, type Context } from 'node:vm';

export type Handler = (...args: readonly unknown[]) => unknown;

export type EventSource =
  | { readonly kind: 'all' }
  | { readonly kind: 'category'; readonly name: string }
  | { readonly kind: 'streams'; readonly names: readonly string[] };

export type Definition = {
  readonly source: EventSource;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** `stream`: each stream for itself. */
  readonly partition: 'one' | 'stream' | Handler;
  readonly transforms: readonly { readonly isFilter: boolean; readonly change: Handler }[];
  /** States are results, to be told as they change. */
  readonly tellsResults: boolean;
  readonly output?: { readonly stream: string; readonly pattern?: string };
  readonly includesLinks: boolean;
  /** `JSON.parse` of its own world. */
  readonly parse: (text: string) => unknown;
  /** What it does with them is up to whoever runs it. */
  readonly world: Context;
};

type Draft = {
  -readonly [Key in keyof Definition]?: Definition[Key];
} & {
  handlers: Map<string, Handler>;
  transforms: { readonly isFilter: boolean; readonly change: Handler }[];
  options: Readonly<Record<string, unknown>>;
};

/** Throws what the file throws, or an Error that says what is wrong with it. */
export function define(text: string, file: string, limitMs: number): Definition {
  const draft: Draft = { handlers: new Map(), transforms: [], options: {} };
  const loading = sourcesOf(draft);
  const world = createContext({ ...loading }, { codeGeneration: { strings: false, wasm: false } });
  new Script(text, { filename: file }).runInContext(world, { timeout: limitMs });
  for (const name of Object.keys(loading)) if (name !== 'log') delete world[name];
  const parse = new Script('JSON.parse').runInContext(world) as Definition['parse'];
  return checked({ ...draft, world, parse });
}

/** The functions there are while the file is loaded. */
function sourcesOf(draft: Draft): Readonly<Record<string, Handler>> {
  const all = chain(draft, ['when', 'partitionBy', 'foreachStream', 'outputState']);
  const streams = chain(draft, ['when', 'partitionBy', 'outputState']);
  const from = (source: EventSource): void => {
    if (draft.source !== undefined && draft.source.kind !== source.kind) {
      throw new Error('it takes events from more than one kind of source');
    }
    draft.source = source;
  };
  const fromCategories = (...given: readonly unknown[]): object => {
    const names = given.flat().map(String);
    const [name] = names;
    if (names.length === 1) from({ kind: 'category', name: name! });
    else from({ kind: 'streams', names: names.map((each) => `$ce-${each}`) });
    return all;
  };
  const fromStreams = (...given: readonly unknown[]): object => {
    from({ kind: 'streams', names: given.flat().map(String) });
    return streams;
  };
  return {
    ...{ fromCategory: fromCategories, fromCategories, fromStreams, fromStream: fromStreams },
    fromAll: () => (from({ kind: 'all' }), all),
    options: (given) => void (draft.options = checkedOptions(given)),
    on_event: (type, handler) => addHandler(draft, String(type), handler),
    on_any: (handler) => addHandler(draft, '$any', handler),
    log: (...words) => console.log(...words),
  };
}

function addHandler({ handlers }: Draft, name: string, handler: unknown): void {
  if (typeof handler === 'function') handlers.set(name, handler as Handler);
}

/** An object with these methods and no others: each says what may be called next. */
function chain(draft: Draft, methods: readonly string[]): object {
  const change = (isFilter: boolean) => (by: Handler) => {
    draft.transforms.push({ isFilter, change: by });
    draft.tellsResults = true;
    return chain(draft, ['transformBy', 'filterBy', 'outputState', 'outputTo']);
  };
  const every: Readonly<Record<string, (...args: never[]) => unknown>> = {
    when(handlers: object) {
      for (const [name, handler] of Object.entries(handlers)) addHandler(draft, name, handler);
      const next = ['transformBy', 'filterBy', 'outputState', 'outputTo'];
      return chain(draft, [...next, '$defines_state_transform']);
    },
    partitionBy(by: Handler) {
      draft.partition = by;
      return chain(draft, ['when']);
    },
    foreachStream() {
      draft.partition = 'stream';
      return chain(draft, ['when']);
    },
    outputState() {
      draft.tellsResults = true;
      return chain(draft, ['transformBy', 'filterBy', 'outputTo']);
    },
    transformBy: change(false),
    filterBy: change(true),
    outputTo(stream: string, pattern?: string) {
      draft.output = { stream, ...(pattern === undefined ? {} : { pattern }) };
    },
    $defines_state_transform: () => undefined,
  };
  return Object.fromEntries(methods.map((name) => [name, every[name]]));
}

const optionTypes: Readonly<Record<string, string>> = {
  $includelinks: 'boolean',
  reorderevents: 'boolean',
  processinglag: 'number',
  resultstreamname: 'string',
  bistate: 'boolean',
};

function checkedOptions(given: unknown): Readonly<Record<string, unknown>> {
  const options = Object.entries(Object(given) as object).map(
    ([name, value]: [string, unknown]): [string, unknown] => {
      const wanted = optionTypes[name.toLowerCase()];
      if (wanted === undefined) throw new Error(`there is no option ${name}`);
      if (typeof value !== wanted) throw new Error(`the option ${name} must be a ${wanted}`);
      return [name.toLowerCase(), value];
    },
  );
  return Object.fromEntries(options);
}

const marked = /^\$(init|initShared|any|created|deleted)$/;

function checked(draft: Draft & Pick<Definition, 'world' | 'parse'>): Definition {
  const { source, handlers, transforms, options, partition = 'one', output, world, parse } = draft;
  if (source === undefined) throw new Error('it takes events from nowhere: fromAll() and others');
  if (partition === 'stream' && source.kind === 'streams') {
    throw new Error('foreachStream() goes with fromAll() and one category');
  }
  if (handlers.has('$deleted') && partition !== 'stream') {
    throw new Error('$deleted goes with foreachStream()');
  }
  if (handlers.has('$deleted') && handlers.has('$initShared')) {
    throw new Error('$deleted does not go with $initShared');
  }
  const names = [...handlers.keys()];
  const firstNamed = names.findIndex((name) => !marked.test(name));
  if (firstNamed !== -1 && names.indexOf('$any') > firstNamed) {
    throw new Error('both all events and specific events: $any after a handler with a name');
  }
  checkOrder(options, source);
  const renamed = options['resultstreamname'];
  const told = output ?? (typeof renamed === 'string' ? { stream: renamed } : undefined);
  return {
    ...{ source, handlers, transforms, partition, world, parse },
    ...(told === undefined ? {} : { output: told }),
    tellsResults: draft.tellsResults === true,
    includesLinks: options['$includelinks'] === true,
  };
}

function checkOrder(options: Readonly<Record<string, unknown>>, source: EventSource): void {
  if (options['reorderevents'] !== true) return;
  const isMany = source.kind === 'streams' && source.names.length > 1;
  if (isMany && Number(options['processinglag'] ?? 0) >= 50) return;
  throw new Error('reorderEvents goes with two streams or more and a processingLag of 50 or more');
}
