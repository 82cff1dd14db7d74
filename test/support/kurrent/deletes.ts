/** How the stand-in removes a stream, for now or for ever. */
import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { streams } from '../../../src/gateway/messages.ts';
import { Refusal, streamDeleted } from '../../../src/gateway/refusals.ts';
import { toTarget, type AppendParts } from './appends.ts';

export type DeleteCall = ServerUnaryCall<InstanceType<typeof streams.DeleteReq>, unknown>;
export type DeleteAnswer = sendUnaryData<InstanceType<typeof streams.DeleteResp>>;

export function serveDelete(
  call: DeleteCall,
  answer: DeleteAnswer,
  { store, settled }: Pick<AppendParts, 'store' | 'settled'>,
  isFinal: boolean,
): void {
  const { stream, expected } = toTarget(call.request.getOptions()!);
  const outcome = store.delete(stream, expected, isFinal);
  if (outcome.kind === 'deleted') return answer(streamDeleted(stream));
  if (outcome.kind === 'conflict') {
    const trailers = {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String({ any: -2, exists: -4 }[expected] ?? expected),
      'actual-version': String(outcome.current),
    };
    return answer(new Refusal(status.FAILED_PRECONDITION, 'Wrong Expected Version', trailers));
  }
  const Answer = isFinal ? streams.TombstoneResp : streams.DeleteResp;
  const position = new Answer.Position()
    .setCommitPosition(String(outcome.position))
    .setPreparePosition(String(outcome.position));
  void settled().then(() => answer(null, new Answer().setPosition(position) as never));
}
