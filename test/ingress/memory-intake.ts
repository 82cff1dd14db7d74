/** An intake that keeps letters in memory, and can be told to be slow, full or broken. */
import type { Intake, IncomingLetter } from '../../src/ingress/ports.ts';
import type { Arrival, Envelope } from '../../src/mail/envelope.ts';
import { makeMessageId } from '../../src/mail/message-id.ts';

export type Kept = {
  readonly id: string;
  readonly envelope: Envelope;
  readonly arrival: Arrival;
  /** One character per byte. */
  readonly body: string;
};

export class MemoryIntake implements Intake {
  readonly letters: Kept[] = [];
  abandoned = 0;
  begun = 0;
  writes = 0;
  /** Called in place of doing nothing. */
  onBegin: () => void = () => undefined;
  onWrite: (chunk: Uint8Array) => Promise<void> = () => Promise.resolve();
  onAccept: () => Promise<void> = () => Promise.resolve();

  begin(): IncomingLetter {
    this.onBegin();
    this.begun += 1;
    const id = makeMessageId(Date.UTC(2026, 10, 20), Uint8Array.from(Array(10).fill(this.begun)));
    const chunks: Buffer[] = [];
    let over = false;
    return {
      id,
      write: (chunk) => {
        if (over) throw new Error('a write after the end');
        this.writes += 1;
        chunks.push(Buffer.from(chunk));
        return this.onWrite(chunk);
      },
      accept: async (envelope, arrival) => {
        over = true;
        await this.onAccept();
        const body = Buffer.concat(chunks).toString('latin1');
        this.letters.push({ id, envelope: structuredClone(envelope), arrival, body });
        return id;
      },
      abandon: () => {
        if (over) throw new Error('abandoned twice, or after accept');
        over = true;
        this.abandoned += 1;
      },
    };
  }

  /** The one letter that came in, without our Received field. */
  onlyBody(): string {
    if (this.letters.length !== 1) throw new Error(`${this.letters.length} letters came in`);
    return (this.letters[0]?.body ?? '').replace(/^Received: [^\r]*\r\n {2}by [^\r]*\r\n/, '');
  }
}
