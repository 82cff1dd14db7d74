/** A projection in the event store's language at work: states by partition, results, and what it would write. */
import type { Definition, Handler } from './definition.ts';
import { toStateText } from './state-text.ts';

/** An event as that language sees it; `body` comes in as the JSON that it is. */
export type StoredEvent = {
  readonly streamId: string;
  readonly sequenceNumber: number;
  readonly eventType: string;
  readonly bodyRaw: string;
  readonly metadataRaw?: string;
  readonly eventId?: string;
  readonly created?: string;
};

/** An event that it would write. `data`: JSON, or of a link (`$>`) its text. */
export type Emitted = {
  readonly stream: string;
  readonly type: string;
  readonly data: string;
  readonly metadata?: string;
};

export class Projection {
  readonly #name: string;
  readonly #definition: Definition;
  readonly #named: boolean;
  readonly #states = new Map<string, string>();
  readonly #results = new Map<string, string>();
  /** Results told so far, by stream. */
  readonly #told = new Map<string, number>();
  /** The state of the last event's partition stays an object until another partition's turn. */
  #live: { readonly partition: string; state: unknown } | undefined;
  #shared: unknown;
  readonly #onEmitted: (event: Emitted) => void;

  constructor(name: string, definition: Definition, onEmitted: (event: Emitted) => void) {
    [this.#name, this.#definition, this.#onEmitted] = [name, definition, onEmitted];
    this.#named = namesOf(definition).length > 0;
    Object.assign(definition.world, this.#writers());
  }

  /** JSON by partition; `''` is the whole, or what all partitions share. */
  get states(): ReadonlyMap<string, string> {
    return this.#states;
  }

  /** The last results that were told, JSON by partition. */
  get results(): ReadonlyMap<string, string> {
    return this.#results;
  }

  handle(stored: StoredEvent): void {
    if (!this.#isDelivered(stored)) return;
    const seenIn = seenBy(stored, this.#definition);
    const partition = this.#partitionOf(seenIn, stored);
    if (partition === undefined || stored.bodyRaw === '') return;
    this.#apply(partition, seenIn(partition), stored);
  }

  #apply(partition: string, event: object, stored: StoredEvent): void {
    const { handlers } = this.#definition;
    const isNew = !this.#states.has(partition);
    const before = this.#stateOf(partition);
    const isShared = handlers.has('$initShared');
    const seen = isShared ? [before, this.#sharedState()] : before;
    if (isNew) handlers.get('$created')?.(seen, event);
    const handler = handlers.get(stored.eventType) ?? handlers.get('$any');
    if (handler === undefined) return this.#keep(partition, this.#parsed(stored.bodyRaw));
    const given = handler(seen, event);
    const after = given === undefined ? seen : given;
    if (!isShared) return this.#keep(partition, after);
    const [own, shared] = Array.isArray(after) ? (after as unknown[]) : [after, this.#shared];
    this.#shared = shared;
    this.#states.set('', toStateText(shared) ?? 'null');
    this.#keep(partition, own);
  }

  #stateOf(partition: string): unknown {
    if (this.#live?.partition === partition) return this.#live.state;
    const text = this.#states.get(partition);
    const state =
      text === undefined ? (this.#definition.handlers.get('$init')?.() ?? {}) : this.#parsed(text);
    this.#live = { partition, state };
    return state;
  }

  #sharedState(): unknown {
    return (this.#shared ??= this.#definition.handlers.get('$initShared')!() ?? {});
  }

  #keep(partition: string, state: unknown): void {
    const before = this.#states.get(partition);
    const text = state === null ? undefined : (toStateText(state) ?? '{}');
    if (text === undefined) {
      this.#states.delete(partition);
      this.#live = undefined;
    } else {
      this.#states.set(partition, text);
      this.#live = { partition, state };
    }
    if (text !== before && this.#definition.tellsResults) this.#tell(partition, text);
  }

  #tell(partition: string, state: string | undefined): void {
    const result = state === undefined ? undefined : this.#resultOf(state);
    if (result === this.#results.get(partition)) return;
    if (result === undefined) this.#results.delete(partition);
    else this.#results.set(partition, result);
    const [type, data] = result === undefined ? ['ResultRemoved', ''] : ['Result', result];
    const { output } = this.#definition;
    const whole = output?.stream ?? `$projections-${this.#name}-result`;
    if (partition === '') return this.#onEmitted({ stream: whole, type, data });
    const stream =
      output?.pattern?.replace('{0}', partition) ??
      `$projections-${this.#name}-${partition}-result`;
    const number = this.#told.get(stream) ?? 0;
    this.#told.set(stream, number + 1);
    this.#onEmitted({ stream, type, data });
    this.#onEmitted({ stream: whole, type: '$>', data: `${number}@${stream}` });
  }

  #resultOf(text: string): string | undefined {
    let result = this.#parsed(text);
    for (const { isFilter, change } of this.#definition.transforms) {
      const changed = change(result);
      if (isFilter ? changed !== true : (changed ?? null) === null) return undefined;
      if (!isFilter) result = changed;
    }
    return toStateText(result);
  }

  #isDelivered({ streamId, eventType }: StoredEvent): boolean {
    const { source, handlers, includesLinks } = this.#definition;
    if (this.#named && !handlers.has(eventType)) return false;
    if (source.kind !== 'all') return this.#isFrom(streamId);
    if (eventType === '$>' && !includesLinks) return false;
    // Of what is the system's, only what streams say of themselves, and only to who wants everything.
    const ofStream = streamId.startsWith('$$') && !this.#named ? streamId.slice(2) : streamId;
    return !ofStream.startsWith('$');
  }

  #isFrom(stream: string): boolean {
    const { source } = this.#definition;
    if (source.kind === 'all') return !stream.startsWith('$');
    if (source.kind === 'category') return categoryOf(stream) === source.name;
    return source.names.some(
      (name) =>
        name === stream || (name.startsWith('$ce-') && name === `$ce-${categoryOf(stream)}`),
    );
  }

  #partitionOf(seenIn: SeenIn, stored: StoredEvent): string | undefined {
    const { partition } = this.#definition;
    if (partition === 'one') return '';
    if (partition === 'stream') return stored.streamId;
    const given = partition(seenIn(''));
    return typeof given === 'string' || typeof given === 'number' ? String(given) : undefined;
  }

  readonly #parsed = (text: string): unknown => this.#definition.parse(text);

  #writers(): Readonly<Record<string, Handler>> {
    const write = (stream: unknown, type: string, data: string, metadata?: unknown): void => {
      if (typeof stream !== 'string' || stream === '')
        throw new Error('it names no stream to write to');
      const said = metadata === undefined ? {} : { metadata: toStateText(metadata) ?? 'null' };
      this.#onEmitted({ stream, type, data, ...said });
    };
    return {
      emit: (stream, type, body, metadata) =>
        write(stream, String(type), toStateText(body) ?? 'null', metadata),
      linkTo: (stream, event, metadata) => {
        const { sequenceNumber, streamId } = Object(event) as StoredEvent;
        write(stream, '$>', `${sequenceNumber}@${streamId}`, metadata);
      },
      linkStreamTo: (...args) => {
        if (args.length > 2) throw new Error('linkStreamTo() takes two arguments');
        write(args[0], '$@', String(args[1]));
      },
      copyTo: () => undefined,
    };
  }
}

/** Types that it has handlers for; with none it hears everything. */
export const namesOf = ({ handlers }: Definition): readonly string[] =>
  [...handlers.keys()].filter((name) => !/^\$(init|initShared|any|created|deleted)$/.test(name));

const categoryOf = (stream: string): string => stream.split('-', 1)[0]!;

/** The event as handlers see it in a partition: in the order in which the event store has its members. */
type SeenIn = (partition: string) => object;

/** Its body is read when it is asked for; nothing of it can be changed at the first level. */
function seenBy(stored: StoredEvent, { source, parse }: Definition): SeenIn {
  const { streamId, eventId, eventType, bodyRaw, metadataRaw, sequenceNumber, created } = stored;
  let body: unknown;
  const read = { get: () => (body ??= parse(bodyRaw)) };
  const category = source.kind === 'category' ? source.name : null;
  return (partition) => {
    const event = {
      ...{ partition, created, bodyRaw, metadataRaw: metadataRaw ?? null, streamId, eventId },
      ...{ eventType, linkMetadataRaw: null, isJson: true, category, sequenceNumber },
    };
    Object.defineProperties(event, {
      ...{ body: read, data: read },
      metadata: { get: () => (metadataRaw === undefined ? null : parse(metadataRaw)) },
      linkMetadata: { get: () => null },
    });
    return Object.freeze(event);
  };
}
