import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { bindAll } from '../../src/composition/roles/listeners.ts';

const smtpAt = (host: string, port: number) => ({
  listen: { smtp: [{ host, port }], smtps: [], submission: [] },
  proxies: { listeners: [], from: [] },
});

describe('binding the sockets of the doors', () => {
  it('tells which port it was given when any would do', () => {
    const [bound] = bindAll(smtpAt('127.0.0.1', 0));
    expect(bound).toMatchObject({ kind: 'smtp', endpoint: { host: '127.0.0.1' } });
    expect(bound!.endpoint.port).toBeGreaterThan(0);
    bound!.close();
  });

  it('says which are behind a load balancer', () => {
    const [one, two] = ['127.0.0.1', '127.0.0.2'].map((host) => ({ host, port: 0 }));
    const bound = bindAll({
      listen: { smtp: [one!], smtps: [two!], submission: [] },
      proxies: { listeners: [two!], from: [] },
    });
    for (const socket of bound) socket.close();
    expect(bound.map(({ kind, isProxied }) => [kind, isProxied])).toEqual([
      ['smtp', false],
      ['smtps', true],
    ]);
  });

  it('refuses a port that another program listens on', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(() => bindAll(smtpAt('127.0.0.1', port))).toThrow(
      `cannot listen on 127.0.0.1:${port} (smtp): address already in use`,
    );
    other.close();
  });

  it('names an address that is not of this machine', () => {
    expect(() => bindAll(smtpAt('203.0.113.77', 2525))).toThrow(
      'cannot listen on 203.0.113.77:2525 (smtp): address not available',
    );
  });
});
