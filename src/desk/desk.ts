/** The desk at work: an HTTP server around the application, with limits of its own. */
import { createAdaptorServer } from '@hono/node-server';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deskApp } from './app.ts';
import { deskUrl } from './places.ts';
import type { GateParts } from './guard/gate.ts';
import type { DeskParts } from './ports.ts';

export type Desk = {
  readonly url: string;
  /** Ends every connection: whoever comes again is asked again who he is. */
  hangUp(): void;
  close(): Promise<void>;
};

/** A browser holds six of them; more than this many people do not read one queue at once. */
const mostConnections = 200;

/** Resolves when it listens. `uidOf` is for tests. */
export async function startDesk(parts: DeskParts, uidOf?: GateParts['uidOf']): Promise<Desk> {
  const app = deskApp(parts, uidOf);
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, env as Parameters<typeof app.fetch>[1]),
    // The runtime's own Request and Response stay as they are for everything else in this process.
    overrideGlobalObjects: false,
    serverOptions: {
      ...{ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 10_000 },
      maxHeaderSize: 16 * 1024,
    },
  }) as Server;
  server.maxConnections = mostConnections;
  const { host, port, fd } = parts.settings.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(fd === undefined ? { host, port } : { fd }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    url: deskUrl(host, bound.port),
    hangUp: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        app.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
