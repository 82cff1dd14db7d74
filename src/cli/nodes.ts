/** `waybill nodes`: the engines that share this log, from the checkpoint through the tail of the log. */
import { filter, firstValueFrom, Subscription, tap } from 'rxjs';
import type { LogSignal } from '../log/ports.ts';
import { Ledger } from '../nodes/ledger.ts';
import { toAsciiJson } from '../trace/json.ts';
import { letterOfNobody, nodeJson, nodeRows, nodeText } from '../trace/node-lines.ts';
import { count } from '../trace/words.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { declareNodeGone, type GoneOptions } from './nodes-gone.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';

export type NodesOptions = Partial<GoneOptions> & {
  readonly limit: number;
  readonly json?: boolean;
};

export async function nodes(places: Places, options: NodesOptions): Promise<void> {
  const { limit, json = false, gone, why = '', by } = options;
  const output = openOutput();
  await withLog(places, async (opened) => {
    if (gone !== undefined) {
      const asked = { gone, why, json, ...(by === undefined ? {} : { by }) };
      await declareThroughLog(opened, asked, output);
      return output.drained();
    }
    const ledger = await ledgerNow(opened);
    const rows = nodeRows(ledger, limit);
    const now = Date.now();
    for (const row of rows) output.line(json ? toAsciiJson(nodeJson(row)) : nodeText(row, now));
    if (!json) {
      if (rows.length === 0) output.line('One engine, one log: there are no nodes.');
      const left = letterOfNobody(ledger);
      if (rows.length > 0 && left > 0) output.line(`${count(left, 'letter')} of nobody yet.`);
    }
    await output.drained();
  });
}

/** The ledger hears on until the word is spoken. */
async function declareThroughLog(
  opened: OpenedLog,
  asked: GoneOptions,
  output: Output,
): Promise<void> {
  const ledger = new Ledger({ log: opened.log, file: opened.files.nodes });
  const signals$ = opened.log.subscribe(await ledger.restore());
  const following = new Subscription();
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (signal: LogSignal): void => {
        ledger.hear(signal);
        if (signal.kind === 'caught-up') resolve();
      };
      following.add(signals$.subscribe({ next, error: reject }));
    });
    await declareNodeGone(opened, ledger, asked, output);
  } finally {
    following.unsubscribe();
  }
}

async function ledgerNow({ log, files }: OpenedLog): Promise<Ledger> {
  const ledger = new Ledger({ log, file: files.nodes });
  const signals$ = log.subscribe(await ledger.restore());
  const hear = tap((signal: LogSignal) => ledger.hear(signal));
  await firstValueFrom(
    signals$.pipe(
      hear,
      filter(({ kind }) => kind === 'caught-up'),
    ),
  );
  return ledger;
}
