/** What the inside of a cage does with an order: one question, from its file to its answer. */
import { foldEvents } from '../fold.ts';
import type { Declared, Happening, Parked, Question } from '../ports.ts';
import { readQuestion } from '../question-file.ts';
import { answerOf, park, placeOf, startRun, type Run } from '../run.ts';
import { runWithin, tookTooLong } from '../../platform/time-limit.ts';
import type { Limits, News, Order, Reply } from './orders.ts';

type Told<Kind extends Order['kind']> = Extract<Order, { kind: Kind }>;

export class Inmate {
  #limits: Limits;
  readonly #onAlive: () => void;
  #question: Question | undefined;
  #run: Run | undefined;
  /** The event that it has before it. */
  #turn: Happening | undefined;

  constructor(limits: Limits, onAlive: () => void = () => undefined, question?: Question) {
    [this.#limits, this.#onAlive, this.#question] = [limits, onAlive, question];
  }

  async obey(order: Order): Promise<Reply> {
    switch (order.kind) {
      case 'load':
        return this.#load(order);
      case 'start':
        return this.#start(order);
      case 'fold':
        return this.#fold(order, this.#run!);
      case 'answer':
        return this.#answer(order, this.#run!);
    }
  }

  /** When its process ends while something is under way. */
  lastWords(why: string): Extract<News, { kind: 'ended' }> {
    const position = this.#run?.position ?? 0;
    const event = this.#turn && { event: placeOf(this.#turn) };
    return { kind: 'ended', why, position, ...event };
  }

  async #load({ file }: Told<'load'>): Promise<Reply> {
    const read = await readQuestion(file, this.#limits.loadMs);
    if ('why' in read) return { kind: 'unfit', ...read };
    const { question, callMs = this.#limits.callMs } = read;
    this.#question = question;
    this.#limits = { ...this.#limits, callMs };
    return { kind: 'loaded', declared: declaredBy(question) };
  }

  #start({ given }: Told<'start'>): Reply {
    // Its text may be compiled only now: that is no single call of many.
    const { loadMs } = this.#limits;
    try {
      const ended = runWithin(loadMs, () => (this.#run = startRun(this.#question!, given)));
      if (ended === 'late') throw tookTooLong('its empty view', loadMs);
      const { stream } = this.#run!;
      return { kind: 'started', ...(stream === undefined ? {} : { stream }) };
    } catch (cause) {
      return { kind: 'mistaken', words: cause instanceof Error ? cause.message : String(cause) };
    }
  }

  #fold({ events }: Told<'fold'>, run: Run): Reply {
    const before = process.cpuUsage();
    const lines = foldEvents(run, events, {
      callMs: this.#limits.callMs,
      onTurn: (event) => (this.#turn = event),
      onAlive: this.#onAlive,
    });
    const { user, system } = process.cpuUsage(before);
    const { position, parked } = run;
    const ranMs = (user + system) / 1_000;
    const said = lines.length === 0 ? {} : { lines: lines.join('\n') };
    return { kind: 'folded', ...said, ranMs, position, ...told(parked) };
  }

  #answer({ asked }: Told<'answer'>, run: Run): Reply {
    const { answerMs } = this.#limits;
    let given: ReturnType<typeof answerOf>;
    const ended = runWithin(answerMs, () => (given = answerOf(run, asked)));
    if (ended === 'late') park(run, tookTooLong('it', answerMs));
    return { kind: 'answered', ...(given && { answer: given }), ...told(run.parked) };
  }
}

const told = (parked: Parked | undefined) => (parked === undefined ? {} : { parked });

/** What leaves a cage of a question. */
export function declaredBy(question: Question): Declared {
  const { title, about, bounds, options, hears, learns, said } = question;
  return {
    ...{ title, about, bounds, byLine: said !== undefined },
    ...(options && { options }),
    ...(hears && { hears }),
    ...(learns && { learns }),
  };
}
