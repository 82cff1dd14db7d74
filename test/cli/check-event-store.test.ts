import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkEventStore } from '../../src/cli/check-event-store.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';

describe('the check of an event store', () => {
  let server: StandIn;
  beforeEach(async () => {
    server = await new StandIn().start();
  });
  afterEach(() => server.stop());
  const check = async (more = {}) => {
    const store = { url: server.url(), credentialsFile: undefined, bodyDirectory: undefined };
    return checkEventStore({ ...store, ...more }, '/etc/waybill');
  };

  it('finds nothing where it answers', async () => {
    expect(await check()).toEqual([]);
    expect(server.store.length).toBe(0);
  });

  it('says whom it does not let read, and what he lacks', async () => {
    server.readsAll = false;
    const [found] = await check();
    expect(found?.message).toMatch(/does not let us.*\$admins/);
  });

  it('says that nobody answers, where nobody does, and why', async () => {
    await server.stop();
    const [found] = await check();
    expect(found).toMatchObject({
      file: server.url(),
      message: expect.stringMatching(/reading the event store.*127\.0\.0\.1:\d+: .*refuse/i),
    });
    await server.start();
  });

  it('says which file is missing', async () => {
    const [found] = await check({ credentialsFile: '/nowhere', url: 'kurrentdb://db' });
    expect(found?.message).toContain('ENOENT');
  });
});
