/**
 * What a call may hold before anybody knows whose it is: its headers, and its question as far as it has come. So
 * the headers are short, and of one network only so many calls wait: for the rest of their question, for a word
 * of the doorkeeper, for their first answer. Whoever wants more loses the connection, and with it all it held.
 */
import {
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  type Metadata,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { networkAt } from '../mail/ip-address.ts';

/** A name and a password; clients send some hundred bytes. */
const headerBytes = 8 * 1024;

/** With headers and question some 35 KB each. */
const mostWaiting = 200;

/** No honest client takes longer for its question. */
const questionMs = 30_000;

/** `hangUp`: ends that client's connection, named as `getPeer` does. */
export function fewCalls(hangUp: (peer: string) => void): ServerInterceptor {
  const waiting = new Map<string, number>();
  const count = (network: string, by: 1 | -1): number => {
    const now = (waiting.get(network) ?? 0) + by;
    if (now > 0) waiting.set(network, now);
    else waiting.delete(network);
    return now;
  };
  return (_method, call) => {
    const peer = call.getPeer();
    const network = whence(peer);
    let waits = true;
    const done = (): void => {
      clearTimeout(late);
      if (waits) count(network, -1);
      waits = false;
    };
    const isTooMany = count(network, 1) > mostWaiting;
    // Its calls end with it, and are counted no more.
    if (isTooMany) hangUp(peer);
    const late = setTimeout(() => hangUp(peer), questionMs);
    late.unref();
    const heard = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (bytesOf(metadata) + call.getHost().length > headerBytes) hangUp(peer);
        else next(metadata);
      })
      .withOnReceiveMessage((message, next) => {
        clearTimeout(late);
        next(message);
      })
      .withOnCancel(done)
      .build();
    const said = new ResponderBuilder()
      .withStart((next) => next(heard))
      .withSendMessage((message, next) => {
        done();
        next(message);
      })
      .withSendStatus((status, next) => {
        done();
        next(status);
      })
      .build();
    return new ServerInterceptingCall(call, said);
  };
}

/** Of `1.2.3.4:567`, and of what else stands before the last colon. */
const whence = (peer: string): string =>
  networkAt(peer.slice(0, Math.max(0, peer.lastIndexOf(':'))));

function bytesOf(metadata: Metadata): number {
  let bytes = 0;
  for (const [key, values] of Object.entries(metadata.toJSON()))
    for (const value of values) bytes += key.length + value.length;
  return bytes;
}
