/** `waybill nodes --gone`: an operator says that a node is dead, and what it had begun is in doubt at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble } from '../mail/trouble.ts';
import { called, declareGone, undecided } from '../nodes/declare.ts';
import type { Ledger } from '../nodes/ledger.ts';
import type { Lease } from '../nodes/leases.ts';
import { toAsciiJson } from '../trace/json.ts';
import { formatSpan, safe } from '../trace/words.ts';
import { callersName } from './callers-name.ts';
import { exitNever } from './exit-codes.ts';
import type { OpenedLog } from './open-log.ts';
import type { Output } from './output.ts';

export type GoneOptions = {
  /** A node's name, or an incarnation. */
  readonly gone: string;
  readonly why: string;
  readonly by?: string;
  readonly json?: boolean;
};

/** Beats that must not have come: one may be late, two may. */
const missedBeats = 3;

/** `ledger` goes on hearing while this waits. Exit 100 when none of those meant could be declared gone. */
export async function declareNodeGone(
  { writer }: Pick<OpenedLog, 'writer'>,
  ledger: Ledger,
  { gone, why, by = callersName(), json = false }: GoneOptions,
  output: Output,
): Promise<void> {
  const { leases } = ledger;
  const asked = called(leases, gone);
  if (asked.length === 0) throw refuse(`no node is called ${safe(gone, 100)}`);
  const suspects = undecided(leases, asked).map((lease) => ({ ...lease }));
  if (suspects.length === 0) {
    throw refuse(`${safe(gone, 100)}: nothing of it can be under way any more, as the log says`);
  }
  await listen(suspects, json);
  const log = await writer();
  let declared = 0;
  for (const { incarnation, node, revision } of suspects) {
    const isSilent = leases.get(incarnation)?.revision === revision;
    const word = { incarnation, revision, by, why, at: Date.now() };
    const isDone = isSilent && (await declareGone(log, word));
    if (isDone) declared += 1;
    output.line(
      json
        ? toAsciiJson({ incarnation, node, declared: isDone, by, why })
        : `${incarnation}  ${safe(node, 100)}: ${isDone ? 'declared gone; what it had begun is in doubt' : 'has spoken meanwhile, and is not gone'}`,
    );
  }
  if (declared === 0) process.exitCode = exitNever;
}

/** A lease that was taken cannot beat; of the others one hears whether they do. */
async function listen(suspects: readonly Lease[], json: boolean): Promise<void> {
  const beating = suspects.filter(({ status }) => status === 'open' || status === 'draining');
  if (beating.length === 0) return;
  const waitMs = missedBeats * Math.max(...beating.map(({ beatMs }) => beatMs));
  if (!json) console.error(`listening for ${formatSpan(waitMs)} whether it still lives`);
  await sleep(waitMs);
}

const refuse = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
