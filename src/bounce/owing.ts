/** Which letters owe a bounce that is ours to make: where several nodes share the log, their owner makes it. */
import { concat, defer, filter, from, merge, type Observable } from 'rxjs';
import type { MessageId } from '../mail/envelope.ts';
import type { Nodes } from '../nodes/ports.ts';
import type { AgendaKeeper } from '../queue/agenda-keeper.ts';

/** Subscribed after the catch-up: first what the last run left owing, then what settles or falls to us from now on. */
export function owingHere(
  { agenda, owing$ }: Pick<AgendaKeeper, 'agenda' | 'owing$'>,
  { isMine, adopted$ }: Pick<Nodes, 'isMine' | 'adopted$'>,
): Observable<MessageId> {
  const left = defer(() => from([...agenda.owing].filter((id) => isMine?.(id) ?? true)));
  return merge(concat(left, owing$), adopted$.pipe(filter((id) => agenda.owing.has(id))));
}
