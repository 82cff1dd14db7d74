/**
 * A client that keeps book: every letter has a token, and for each token it is known whether a 250 was
 * heard (`accepted`), certainly not (`refused`), or nobody can say (`unsure`: cut off after the final dot).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dial } from './smtp-talk.ts';

export type Ledger = {
  readonly accepted: Map<string, string>;
  readonly refused: Set<string>;
  readonly unsure: Set<string>;
};

export type LoadOptions = {
  readonly port: number;
  readonly sessions: number;
  readonly from: string;
  /** The recipient of the n-th letter. */
  readonly to: (n: number) => string;
  readonly bodyBytes?: number;
  /** Keeps going while this is true. */
  readonly goOn: () => boolean;
};

export const openLedger = (): Ledger => ({
  accepted: new Map(),
  refused: new Set(),
  unsure: new Set(),
});

/** Sends letters over so many sessions until told to stop; connections that break are made again. */
export async function load(ledger: Ledger, options: LoadOptions): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (options.goOn()) {
      try {
        await session(ledger, options, () => next++);
      } catch {
        await sleep(20);
      }
    }
  };
  await Promise.all(Array.from({ length: options.sessions }, one));
}

/** One connection, letter after letter, until it breaks or the load ends. */
async function session(ledger: Ledger, options: LoadOptions, take: () => number): Promise<void> {
  const talk = await dial(options.port);
  try {
    await talk.expect('220');
    await talk.ask('EHLO ledger.test', '250');
    while (options.goOn()) {
      const n = take();
      const token = `t${process.pid}x${n}x${Math.random().toString(36).slice(2, 8)}`;
      await talk.ask(`MAIL FROM:<${options.from}>`, '250');
      await talk.ask(`RCPT TO:<${options.to(n)}>`, '250');
      await talk.ask('DATA', '354');
      const padding = 'x'.repeat(70);
      const lines = Math.ceil((options.bodyBytes ?? 500) / 72);
      talk.say(`Subject: ${token}\r\nX-Token: ${token}\r\n\r\n${`${padding}\r\n`.repeat(lines)}.`);
      ledger.unsure.add(token);
      const reply = await talk.hear();
      ledger.unsure.delete(token);
      const id = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(reply)?.[0];
      if (reply.startsWith('250') && id !== undefined) ledger.accepted.set(token, id);
      else ledger.refused.add(token);
    }
    talk.say('QUIT');
  } finally {
    talk.close();
  }
}

export const tokenOf = (body: string): string | undefined => /^X-Token: (\S+)/m.exec(body)?.[1];
