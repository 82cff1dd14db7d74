/** Whether two sides say the same, event by event and in the same order. */
import { createHash } from 'node:crypto';
import type { EventText } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { safeLine } from '../mail/sanitize.ts';
import { mayBeGone } from '../log/known-event.ts';
import type { Cursor } from './cursor.ts';

export type Comparison = {
  /** Takes from both as long as the target has some; rejects with the first difference. */
  follow(wanted: Cursor, there: Cursor): Promise<void>;
  /** Of the target. */
  readonly events: number;
  /** SHA-256 of what they say, leases aside, in hex; the end. */
  digest(): string;
};

export type Heard = {
  /** Each event at the target that is the source's, as the target has it. */
  readonly onSame?: (there: EventText) => void;
  /** Now and then, and waited for. */
  readonly onPage?: (events: number) => Promise<void> | void;
};

/**
 * Old events of a lease may go at either side at any time, and its revisions are then counted anew: of leases
 * only what both still have is compared here. Their last events stay: see `Ends`.
 */
export function openComparison({ onSame, onPage }: Heard = {}): Comparison {
  const hash = createHash('sha256');
  let events = 0;
  const hear = (there: EventText): void => {
    if (!mayBeGone(there.stream)) hash.update(lineOf(there));
    events += 1;
    onSame?.(there);
  };
  return {
    get events() {
      return events;
    },
    digest: () => hash.digest('hex'),
    async follow(wanted, there) {
      while ((await there.ready()) > 0) {
        if ((await wanted.ready()) === 0) {
          if (mayBeGone(there.next!.stream)) {
            hear(there.take());
            continue;
          }
          throw differs(undefined, there.take());
        }
        followReady(wanted, there, hear);
        await onPage?.(events);
      }
    },
  };
}

/** Until for one of them one must wait. */
function followReady(wanted: Cursor, there: Cursor, hear: (there: EventText) => void): void {
  for (;;) {
    const [ours, theirs] = [wanted.next, there.next];
    if (ours === undefined || theirs === undefined) return;
    if (isSame(ours, theirs)) {
      wanted.take();
      hear(there.take());
    } else if (mayBeGone(ours.stream) && !isOlder(theirs, ours)) wanted.take();
    else if (mayBeGone(theirs.stream)) hear(there.take());
    else throw differs(ours, theirs);
  }
}

/** Of two leases' events the older is the one that the other side has lost. */
const isOlder = (theirs: EventText, ours: EventText): boolean =>
  mayBeGone(theirs.stream) && theirs.at < ours.at;

const lineOf = ({ stream, revision, type, v, at, json }: EventText): string =>
  `${stream} ${revision} ${type} ${v} ${at} ${json}\n`;

/** All but the position, which is the log's own. */
export const isSame = (a: EventText, b: EventText): boolean =>
  a.stream === b.stream &&
  (a.revision === b.revision || mayBeGone(a.stream)) &&
  a.type === b.type &&
  a.v === b.v &&
  a.at === b.at &&
  (a.json === b.json || plain(a.json) === plain(b.json));

/** One log keeps the text that was written, another what it means. */
const plain = (json: string): string => JSON.stringify(JSON.parse(json));

function differs(wanted: EventText | undefined, there: EventText): Trouble {
  const found = `at position ${there.position} the target has ${nameOf(there)}`;
  const due =
    wanted === undefined ? 'the source has nothing more' : `the source has ${nameOf(wanted)}`;
  const isNear =
    wanted?.stream === there.stream &&
    wanted.revision === there.revision &&
    wanted.type === there.type;
  const how = isNear ? ', with other contents' : '';
  return new Trouble('refused', {
    ...{ tryAgain: false, peer: 'refused' },
    detail: `the target holds another log: ${found}, where ${due}${how}. The target must be empty, or hold the beginning of the same log`,
  });
}

const nameOf = ({ stream, revision, type }: EventText): string =>
  `${safeLine(type, 80)} (event ${revision} of ${safeLine(stream, 120)})`;
