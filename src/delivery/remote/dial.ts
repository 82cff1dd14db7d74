/** TCP connections to the outside. */
import { connect } from 'node:net';
import type { Dial } from './ports.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

export const tcpDial: Dial = ({ address, port }, { timeoutMs, localAddress, signal }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(failure('ECANCELED'));
    // Port 0 (`smtproutes` line `:relay:`) connects nowhere, in qmail as here.
    if (!(port > 0 && port < 65_536)) return reject(failure('ECONNREFUSED'));
    const socket = connect({
      host: address,
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    // Whoever takes the socket over resumes it; until then no byte and no end may slip by.
    socket.pause();
    const giveUp = (cause: Error) => {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(cause);
    };
    const timer = setTimeout(() => giveUp(failure('ETIMEDOUT')), timeoutMs);
    const onAbort = () => giveUp(failure('ECANCELED'));
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', giveUp);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', giveUp);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
  });
