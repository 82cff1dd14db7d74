/**
 * Where the gateway listens. Whoever connects has not said yet who he is, and what he begins to say is kept
 * until he ends: so there are only so many connections, and only so many from one network.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { networkAt } from '../mail/ip-address.ts';

export const mostConnections = { inAll: 200, ofOneNetwork: 40 } as const;

export type Listening = {
  readonly port: number;
  /** Ends those that are open; with a peer (`address:port`) that one only. */
  hangUp(peer?: string): void;
  close(): void;
};

/** Those that are too many are closed without a word. Rejects when it cannot listen there. */
export function listenForFew(
  { host, port }: { readonly host: string; readonly port: number },
  take: (socket: Socket) => void,
): Promise<Listening> {
  const open = new Map<Socket, string>();
  const hangUp = (peer?: string): void => {
    for (const socket of open.keys()) {
      const { remoteAddress, remotePort } = socket;
      if (peer === undefined || peer === `${remoteAddress}:${remotePort}`) socket.destroy();
    }
  };
  const server = createServer({ noDelay: true }, (socket) => {
    const { remoteAddress = '' } = socket;
    const network = networkAt(remoteAddress);
    const fromThere = [...open.values()].filter((other) => other === network).length;
    if (open.size >= mostConnections.inAll || fromThere >= mostConnections.ofOneNetwork)
      return void socket.destroy();
    open.set(socket, network);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    take(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject).on('error', () => undefined);
      resolve({
        port: (server.address() as AddressInfo).port,
        hangUp,
        close() {
          server.close();
          hangUp();
        },
      });
    });
  });
}
