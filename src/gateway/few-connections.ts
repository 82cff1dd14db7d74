/**
 * Where the gateway listens. Whoever connects has not said yet who he is, and what he begins to say is kept
 * until he ends: so there are only so many connections, and only so many from one address.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';

export const mostConnections = { inAll: 200, ofOneAddress: 40 } as const;

export type Listening = { readonly port: number; close(): void };

/** Those that are too many are closed without a word. Rejects when it cannot listen there. */
export function listenForFew(
  { host, port }: { readonly host: string; readonly port: number },
  take: (socket: Socket) => void,
): Promise<Listening> {
  const open = new Map<Socket, string>();
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.remoteAddress ?? '';
    const fromThere = [...open.values()].filter((other) => other === address).length;
    if (open.size >= mostConnections.inAll || fromThere >= mostConnections.ofOneAddress)
      return void socket.destroy();
    open.set(socket, address);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    take(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject).on('error', () => undefined);
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.close();
          for (const socket of open.keys()) socket.destroy();
        },
      });
    });
  });
}
