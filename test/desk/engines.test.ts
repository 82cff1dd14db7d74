/** The desk says the same, whichever engine keeps the log. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Outage, Preparing } from '../../src/desk/ports.ts';
import { openDesk, hostile, token, type TestDesk } from './open-desk.ts';

const headers = { Authorization: `Bearer ${token}` };

for (const engine of ['sqlite', 'kurrentdb'] as const) {
  describe(`a desk on the engine ${engine}`, () => {
    let desk: TestDesk;
    let preparing: readonly Preparing[] = [];
    let outage: Outage | undefined;

    beforeAll(async () => {
      desk = await openDesk({
        ...(engine === 'kurrentdb' ? { engine } : {}),
        preparing: () => preparing,
        outage: () => outage,
      });
    });
    afterAll(async () => desk.close());

    const get = async (path: string): Promise<{ status: number; text: string }> => {
      const answer = await desk.get(path, headers);
      return { status: answer.status, text: await answer.text() };
    };
    const page = async (path: string): Promise<string> => {
      const { status, text } = await get(path);
      expect([path, status]).toEqual([path, 200]);
      return text;
    };
    const api = async (path: string) => JSON.parse(await page(`/api/v1${path}`)) as never;

    it('shows the queue, now and then', async () => {
      const queue = (await api('/queue')) as { counts: { letters: number }; entries: object[] };
      expect(queue.counts.letters).toBe(3);
      expect(queue.entries).toHaveLength(5);
      const before = (await api('/queue?at=-100min')) as typeof queue;
      expect(before.counts.letters).toBe(2);
      expect(await page('/queue?at=-100min')).toContain('bob@c.test');
    });

    it('shows a letter by its id or a part of it, with the subject while its body is kept', async () => {
      const { hostile: id, bounced } = desk.ids;
      const shown = await page(`/letters/${id}`);
      expect(shown).not.toContain(hostile);
      // The test's bodies lie beside the embedded log only.
      if (engine === 'sqlite') expect(shown).toContain('&lt;script&gt;window.stolen=1');
      const found = await desk.get(`/letters/${bounced.slice(-12)}`, headers);
      expect([found.status, found.headers.get('location')]).toEqual([303, `/letters/${bounced}`]);
      expect((await get('/letters/01900000-0000-7000-8000-000000000000')).status).toBe(404);
    });

    it('says why, now and then', async () => {
      const { waiting, bounced } = desk.ids;
      const path = (id: string, at = '') => `/messages/${id}/why${at}`;
      const [now] = (await api(path(waiting))) as { waitsFor: string; sentences: string[] }[];
      expect(now!.sentences.join('\n')).toContain('CNAME lookup failed temporarily');
      const { events } = (await api(`/messages/${bounced}`)) as {
        events: { type: string; position: number; at: string }[];
      };
      const started = events.find(({ type }) => type === 'AttemptStarted')!;
      for (const at of [String(started.position), started.at]) {
        const [then] = (await api(path(bounced, `?at=${at}`))) as { status: string }[];
        expect([at, then!.status]).toEqual([at, 'attempting']);
      }
      expect(((await api(path(bounced))) as { status: string }[])[0]!.status).toBe('failed');
      const tooEarly = await get(`/api/v1${path(bounced, '?at=-9h')}`);
      expect([tooEarly.status, tooEarly.text]).toEqual([
        404,
        expect.stringContaining('not there yet'),
      ]);
      expect((await get(`/api/v1${path(bounced, '?at=soonish')}`)).status).toBe(400);
    });

    it('goes on where a reader of events was, and refuses what is no place of this log', async () => {
      const events = async (id: string) =>
        fetch(`${desk.url}/api/v1/events`, {
          headers: { ...headers, 'Last-Event-ID': id },
          signal: AbortSignal.timeout(5_000),
        });
      const head = await desk.office.log.head();
      const [first] = await desk.office.log.readAll({ limit: 1 });
      const answer = await events(String(first!.position));
      const { value } = (await answer.body!.getReader().read()) as { value: Uint8Array };
      const told = new TextDecoder().decode(value);
      expect([answer.status, told]).toEqual([200, expect.stringContaining('retry')]);
      for (const id of ['yesterday', '-1', '1e5', String(head + 1_000_000)]) {
        const refused = await events(id);
        expect([id, refused.status, await refused.text()]).toEqual([
          ...[id, 400, expect.stringContaining('no position of this log')],
        ]);
      }
    });

    it('lists the nodes, or says that there is one engine', async () => {
      const { nodes } = (await api('/nodes')) as { nodes: { status: string; node: string }[] };
      if (engine === 'sqlite') {
        expect(nodes).toEqual([
          expect.objectContaining({ node: 'here.test', status: 'alone', letters: 3 }),
        ]);
        expect(await page('/nodes')).toContain('One engine has the log to itself');
      } else {
        expect(nodes).toEqual([]);
        expect(await page('/nodes')).toContain('No engine has written');
      }
    });

    it('shows the overview at once while the past is prepared, and the queue when it is', async () => {
      preparing = [{ what: 'past', position: 1, head: 4 }];
      const overview = await page('/');
      expect(overview).toContain('The past is being prepared (25 %)');
      expect(overview).toMatch(/<dt>recipients wait<\/dt>\s*<dd><a href="\/queue">–/);
      expect(overview).toContain('desk:tick, every 2s');
      const queue = await get('/queue');
      expect([queue.status, queue.text]).toEqual([503, expect.stringContaining('(25 %)')]);
      expect((await get('/api/v1/queue?at=1')).status).toBe(200);
      const metrics = await page('/metrics');
      expect(metrics).toContain('waybill_engine_up 1');
      expect(metrics).not.toMatch(/^waybill_queue_(letters|recipients)/m);
      preparing = [];
      expect(await page('/queue')).toContain('late@nowhere.test');
      expect(await page('/metrics')).toContain('waybill_queue_letters 3');
    });

    it('says on every page that the log is out of reach', async () => {
      outage = { since: desk.office.clock.now(), words: 'The event store does not answer.' };
      for (const path of ['/hosts', '/search', '/nodes']) {
        expect(await page(path)).toContain('The event store does not answer.');
      }
      outage = undefined;
      expect(await page('/hosts')).not.toContain('does not answer');
    });

    it('gives an order to the queue', async () => {
      const { waiting } = desk.ids;
      const answer = await desk.post(`/api/v1/messages/${waiting}/hold`, '{"why":"a test"}', {
        ...{ ...headers, 'Content-Type': 'application/json' },
      });
      expect([answer.status, desk.orders.at(-1)]).toEqual([
        200,
        expect.objectContaining({
          act: 'hold',
          message: waiting,
          why: 'a test',
          by: 'token (desk)',
        }),
      ]);
      expect(await page(`/letters/${waiting}`)).toContain('a test');
    });
  });
}
