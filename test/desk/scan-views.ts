/** The views' answers by reading the whole log each time: slow, plain, and what the desk's tests compare with. */
import type { LogReader, RecordedEvent } from '../../src/log/ports.ts';
import { messageOf, type QueueEvent } from '../../src/queue/events.ts';
import { answerOf, type Found } from '../../src/trace/search.ts';
import type { HostHealth, SaidOften, TrafficStep, Views } from '../../src/views/ports.ts';

type Event = RecordedEvent & QueueEvent;

export function scanViews(log: Pick<LogReader, 'readAll' | 'head'>): Views {
  const all = async () => (await log.readAll({ limit: 1_000_000 })) as readonly Event[];
  const letters = async (question = {}): Promise<Found[]> => {
    const stories = Map.groupBy(await all(), ({ stream }) => stream);
    const found = [...stories.values()].flatMap((story) => answerOf(story, question) ?? []);
    return found.sort((a, b) => (a.message < b.message ? 1 : -1));
  };
  const open = async () => (await letters()).filter(({ done }) => !done);
  return {
    async search({ limit, after, ...question }) {
      const found = (await letters(question)).filter(
        ({ message }) => after === undefined || message < after,
      );
      const page = found.slice(0, limit);
      return { letters: page, next: found.length > limit ? page.at(-1)!.message : undefined };
    },
    lettersWith: async (prefix, limit) =>
      (await letters())
        .map(({ message }) => message)
        .filter((id) => id.replaceAll('-', '').startsWith(prefix.replaceAll('-', '')))
        .slice(0, limit),
    async traffic({ from, until, stepMs }) {
      const steps = new Map<number, { -readonly [K in keyof TrafficStep]: TrafficStep[K] }>();
      for (const event of await all()) {
        if (event.at < from || event.at >= until) continue;
        const at = Math.floor(event.at / stepMs) * stepMs;
        const zero = { at, accepted: 0, bytes: 0, delivered: 0, deferred: 0, failed: 0 };
        const step = steps.get(at) ?? zero;
        steps.set(at, step);
        if (event.type === 'MessageAccepted') {
          step.accepted += 1;
          step.bytes += event.data.body.bytes;
        }
        const kind = kindOf(event);
        if (kind !== undefined) step[kind] += 1;
      }
      return [...steps.values()].sort((a, b) => a.at - b.at);
    },
    async said(kind, since, limit) {
      const counts = new Map<string, number>();
      for (const event of await all()) {
        if (event.at < since || kindOf(event) !== kind) continue;
        const { text } = (event as Tried).data.reply;
        counts.set(text.trim(), (counts.get(text.trim()) ?? 0) + 1);
      }
      return [...counts]
        .map(([reply, count]): SaidOften => ({ reply, count }))
        .sort((a, b) => b.count - a.count)
        .slice(0, limit);
    },
    async hosts(since, limit) {
      const hosts = new Map<string, { -readonly [K in keyof HostHealth]: HostHealth[K] }>();
      for (const event of await all()) {
        const kind = kindOf(event);
        if (event.at < since || kind === undefined) continue;
        const { address, reply } = (event as Tried).data;
        const host = address.endsWith('@here.test')
          ? 'local'
          : address.slice(address.lastIndexOf('@') + 1);
        const zero = { delivered: 0, deferred: 0, failed: 0, meanMs: undefined };
        const health = hosts.get(host) ?? {
          host,
          ...zero,
          lastAt: undefined,
          lastTrouble: undefined,
        };
        hosts.set(host, health);
        health[kind] += 1;
        health.lastAt = event.at;
        if (kind !== 'delivered') health.lastTrouble = reply.text;
      }
      return [...hosts.values()].slice(0, limit);
    },
    async waiting(limit) {
      const hosts = new Map<string, { host: string; recipients: number; oldest: number }>();
      for (const { at, recipients } of await open()) {
        for (const { address, status } of recipients) {
          if (status !== 'waiting' && status !== 'attempting') continue;
          const host = address.slice(address.lastIndexOf('@') + 1);
          const row = hosts.get(host) ?? { host, recipients: 0, oldest: at };
          hosts.set(host, row);
          row.recipients += 1;
          row.oldest = Math.min(row.oldest, at);
        }
      }
      return [...hosts.values()].sort((a, b) => b.recipients - a.recipients).slice(0, limit);
    },
    async ages(now, bands) {
      const ages = (await open()).flatMap(({ at, recipients }) =>
        recipients.filter(({ status }) => status === 'waiting').map(() => now - at),
      );
      return bands.map((fromMs, index) => ({
        fromMs,
        recipients: ages.filter((age) => age >= fromMs && age < (bands[index + 1] ?? Infinity))
          .length,
      }));
    },
    async status() {
      const head = await log.head();
      return {
        position: head,
        head,
        at: undefined,
        lacksFrom: undefined,
        letters: (await letters()).length,
        bytes: 0,
        rebuilding: undefined,
      };
    },
    close: () => undefined,
  };
}

type Tried = Extract<
  Event,
  { type: 'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed' }
>;

function kindOf({ type, stream }: RecordedEvent): 'delivered' | 'deferred' | 'failed' | undefined {
  if (messageOf(stream) === undefined) return undefined;
  if (type === 'RecipientDelivered') return 'delivered';
  if (type === 'RecipientDeferred') return 'deferred';
  return type === 'RecipientFailed' ? 'failed' : undefined;
}
