/** Who may read through the gateway, asked with the official client. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { AccessDeniedError, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { gatewayKeeper } from '../../src/composition/gateway-keeper.ts';
import { openGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { noStream } from '../../src/log/ports.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { hashPassword } from '../../src/platform/password-hash.ts';
import { selfSigned } from '../support/certificate.ts';
import { newStream, notedMany } from '../support/log-events.ts';

const ownUid = process.getuid!();
const warned: unknown[] = [];
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  warned.length = 0;
});

/** A log of three events behind a gateway. */
async function gatewayOf(who: { ownUid: number; password?: string; tls?: boolean }) {
  const log = new MemoryLog(new Map());
  await log.append(newStream(), noStream, notedMany(3));
  const password = who.password === undefined ? undefined : await hashPassword(who.password);
  const mayRead = gatewayKeeper({
    ...{ password: () => password, ownUid: who.ownUid, clock: new ManualClock() },
    logger: { warn: (fields: unknown) => void warned.push(fields) },
  });
  const gateway = await openGateway({
    ...{ log, host: '127.0.0.1', port: 0, mayRead },
    tls: who.tls === true ? selfSigned('localhost') : undefined,
    onTrouble: (cause) => {
      throw cause;
    },
  });
  open.push(gateway);
  return gateway;
}

function dial({ port }: Gateway, login?: string): KurrentDBClient {
  const client = KurrentDBClient.connectionString(
    login === undefined
      ? `kurrentdb://127.0.0.1:${port}?tls=false&discoveryInterval=1`
      : `kurrentdb://${login}@localhost:${port}?tls=true&tlsVerifyCert=false&discoveryInterval=1`,
  );
  open.push({ close: () => client.dispose() });
  return client;
}

/** With both of the client's stacks: one reads, the other follows. */
const readAll = async (client: KurrentDBClient): Promise<number> => {
  let count = 0;
  for await (const { event } of client.readAll()) count += event === undefined ? 0 : 1;
  return count;
};
const follow = async (client: KurrentDBClient): Promise<number> => {
  let count = 0;
  for await (const { event } of client.subscribeToAll()) {
    count += event === undefined ? 0 : 1;
    if (count === 3) break;
  }
  return count;
};

describe('the gateway on the loopback', () => {
  it('lets the engine’s own user read, with or without a password', async () => {
    for (const password of [undefined, 'correct horse']) {
      const client = dial(await gatewayOf({ ownUid, ...(password && { password }) }));
      expect([await readAll(client), await follow(client)]).toEqual([3, 3]);
    }
  });

  it('lets nobody else read', async () => {
    const client = dial(await gatewayOf({ ownUid: ownUid + 1 }));
    await expect(readAll(client)).rejects.toThrow(AccessDeniedError);
    await expect(follow(client)).rejects.toThrow(AccessDeniedError);
  });
});

describe('the gateway with a password, over TLS', () => {
  const elsewhere = { ownUid: ownUid + 1, password: 'correct horse', tls: true };

  it('lets whoever knows it read, by whatever name', async () => {
    for (const password of ['correct horse', '100%41 of it']) {
      const login = `anybody:${encodeURIComponent(password)}`;
      const client = dial(await gatewayOf({ ...elsewhere, password }), login);
      expect([await readAll(client), await follow(client)]).toEqual([3, 3]);
    }
    expect(warned).toEqual([]);
  });

  it('takes many calls at once for one try', async () => {
    const client = dial(await gatewayOf(elsewhere), 'anybody:correct%20horse');
    const counts = await Promise.all(Array.from({ length: 20 }, () => follow(client)));
    expect(counts).toEqual(Array.from({ length: 20 }, () => 3));
  });

  it('refuses a wrong one, and after a few makes its caller wait', async () => {
    const gateway = await gatewayOf(elsewhere);
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      outcomes.push(
        await follow(dial(gateway, `anybody:wrong${attempt}`)).catch((cause: unknown) => cause),
      );
    }
    expect(outcomes.every((cause) => cause instanceof AccessDeniedError)).toBe(true);
    expect(String(outcomes[0])).toMatch(/Not Authenticated$/);
    expect(String(outcomes[6])).toMatch(/Not Authenticated: too many tries, wait \d+ s/);
    expect(warned.length).toBeGreaterThan(3);
    expect(warned.length).toBeLessThan(7);
  });
});
