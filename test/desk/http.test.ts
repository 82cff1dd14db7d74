/** The desk over HTTP: who may come in, what every answer carries, what the API says, what Prometheus reads. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { z } from 'zod';
import { contentPolicy } from '../../src/desk/guard/headers.ts';
import { hour, hostile, openDesk, password, token, type TestDesk } from './open-desk.ts';
import { parseMetrics } from './parse-metrics.ts';

const bearer = { Authorization: `Bearer ${token}` };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const asJson = { 'Content-Type': 'application/json' };
/** As if the kernel said that a connection is of this user. */
const mine = 1000;

let desk: TestDesk;
let locked: TestDesk;
let callerUid: number | undefined = mine;

beforeAll(async () => {
  [desk, locked] = await Promise.all([
    openDesk({ ownUid: mine, uid: () => callerUid }),
    openDesk({ ownUid: mine, uid: () => mine, password: true, hosts: ['desk.b.test'] }),
  ]);
});

afterAll(async () => {
  await Promise.all([desk.close(), locked.close()]);
});

/** Over a connection of its own, which `fetch` does not promise, and under any `Host`. */
const getOnce = (url: string, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

const getAs = (url: string, host: string) => getOnce(url, { host, ...bearer });

const login = async (given: string): Promise<Response> =>
  locked.post('/login', new URLSearchParams({ password: given, who: 'anna' }).toString(), form);

describe('a desk without a password', () => {
  it('is open to the engine’s own user over the loopback, and to nobody else', async () => {
    expect(await getOnce(`${desk.url}/queue`)).toBe(200);
    for (const uid of [0, 1001, undefined]) {
      callerUid = uid;
      const answers = await Promise.all(
        ['/queue', '/api/v1/queue', '/metrics', '/live'].map((path) => getOnce(desk.url + path)),
      );
      expect([uid, ...answers]).toEqual([uid, 303, 401, 401, 401]);
    }
    callerUid = mine;
  });

  it('is not open to whomever a proxy of that user speaks for', async () => {
    const forwarded = [{ forwarded: 'for=192.0.2.1' }, { 'x-forwarded-for': '192.0.2.1' }];
    for (const headers of [...forwarded, { via: '1.1 proxy' }]) {
      expect(await getOnce(`${desk.url}/api/v1/queue`, headers)).toBe(401);
    }
  });

  it('searches by every field that the page names', async () => {
    const fields = 'domain=b.test&messageId=x@a.test&minBytes=1&maxBytes=9';
    expect(await getOnce(`${desk.url}/api/v1/search?${fields}`)).toBe(200);
    expect(await getOnce(`${desk.url}/search?${fields}`)).toBe(200);
    expect(await getOnce(`${desk.url}/api/v1/search?minBytes=-1`)).toBe(400);
  });

  it('lets in who has a link, once', async () => {
    const link = `/enter?ticket=${desk.ticket()}`;
    const entered = await desk.get(link);
    expect(entered.status).toBe(303);
    expect(entered.headers.get('set-cookie')).toMatch(
      /^waybill_desk=[\w-]{43}; .*HttpOnly.*SameSite=Strict/,
    );
    expect((await desk.get(link)).status).toBe(403);
    expect((await desk.get('/enter?ticket=1.aaaaaaaaaaaaaaaa.b')).status).toBe(403);
  });
});

describe('a desk with a password', () => {
  it('asks everybody for it, the engine’s own user too', async () => {
    expect((await locked.get('/')).headers.get('location')).toBe('/login');
    expect((await locked.get('/api/v1/status')).status).toBe(401);
    expect((await login('wrong horse')).status).toBe(403);
    const entered = await login(password);
    expect([entered.status, entered.headers.get('location')]).toEqual([303, '/']);
    const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
    expect((await locked.get('/', { cookie })).status).toBe(200);
  });

  it('takes the token of programs, and no other', async () => {
    expect((await locked.get('/api/v1/status', bearer)).status).toBe(200);
    expect((await locked.get('/api/v1/status', { Authorization: 'Bearer guess' })).status).toBe(
      401,
    );
  });

  it('makes who guesses wait', async () => {
    const answers = [];
    for (let tries = 0; tries < 7; tries += 1) answers.push(await login(`guess ${tries}`));
    expect(answers.at(-1)!.status).toBe(429);
    expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
    locked.office.clock.advance(hour);
    expect((await login(password)).status).toBe(303);
  });

  it('does not lead elsewhere after the login', async () => {
    for (const next of ['//evil.test', 'https://evil.test', '/\\evil.test', '\n//evil.test']) {
      const body = new URLSearchParams({ password, next }).toString();
      expect((await locked.post('/login', body, form)).headers.get('location')).toBe('/');
    }
  });

  it('ends a session when its time is over, and when one leaves', async () => {
    const cookie = (await login(password)).headers.get('set-cookie')!.split(';')[0]!;
    const page = await (await locked.get('/', { cookie })).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)![1]!;
    expect((await locked.post('/logout', '', { ...form, cookie })).status).toBe(403);
    const left = await locked.post('/logout', new URLSearchParams({ csrf }).toString(), {
      ...form,
      cookie,
    });
    expect(left.headers.get('location')).toBe('/login');
    expect((await locked.get('/', { cookie })).status).toBe(303);
    const idle = (await login(password)).headers.get('set-cookie')!.split(';')[0]!;
    locked.office.clock.advance(9 * hour);
    expect((await locked.get('/', { cookie: idle })).status).toBe(303);
  });
});

describe('requests that are not a person’s own', () => {
  it('are refused under a name that is not ours', async () => {
    const port = new URL(desk.url).port;
    expect(await getAs(`${desk.url}/api/v1/queue`, `rebound.evil.test:${port}`)).toBe(421);
    expect(await getAs(`${desk.url}/api/v1/queue`, `localhost:${port}`)).toBe(200);
    expect(await getAs(`${locked.url}/api/v1/queue`, 'desk.b.test')).toBe(200);
    expect(await getAs(`${locked.url}/`, 'desk.b.test.evil.test')).toBe(421);
  });

  it('change nothing when they come from another site, or lack the word of the form', async () => {
    const path = `/letters/${desk.ids.waiting}/hold`;
    const page = await (await desk.get(`/letters/${desk.ids.waiting}`)).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)![1]!;
    const good = new URLSearchParams({ csrf, why: 'a test' }).toString();
    const refused: [string, Record<string, string>][] = [
      [good, { ...form, 'Sec-Fetch-Site': 'cross-site' }],
      [good, { ...form, 'Sec-Fetch-Site': 'same-site' }],
      [good, { ...form, Origin: 'http://evil.test' }],
      [good, { ...form, Origin: 'null' }],
      ['why=x', form],
      ['why=x&csrf=guess', form],
    ];
    for (const [body, headers] of refused)
      expect((await desk.post(path, body, headers)).status).toBe(403);
    const api = `/api/v1/messages/${desk.ids.waiting}/hold`;
    expect((await desk.post(api, '{"why":"x"}', { 'Content-Type': 'text/plain' })).status).toBe(
      403,
    );
    expect(
      (await desk.post(api, '{"why":"x"}', { ...asJson, Origin: 'http://evil.test' })).status,
    ).toBe(403);
    expect((await desk.get('/api/v1/queue', { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect(desk.orders).toEqual([]);
  });

  it('need the session’s word also as JSON', async () => {
    const cookie = (await login(password)).headers.get('set-cookie')!.split(';')[0]!;
    const api = `/api/v1/messages/${locked.ids.waiting}/hold`;
    expect((await locked.post(api, '{"why":"x"}', { ...asJson, cookie })).status).toBe(403);
    expect(locked.orders).toEqual([]);
  });

  it('may not be larger than a form is', async () => {
    expect((await desk.post('/login', `password=${'x'.repeat(70_000)}`, form)).status).toBe(413);
    const large = await desk.post('/api/v1/messages/x/hold', 'x'.repeat(70_000), {
      ...bearer,
      ...asJson,
    });
    expect([large.status, await large.json()]).toEqual([413, { error: 'too much at once' }]);
  });

  it('may come in pieces of whose length nobody speaks, or without a body at all', async () => {
    const send = (path: string, method: string, body?: string) =>
      fetch(desk.url + path, {
        ...{ method, headers: { ...bearer, ...asJson } },
        ...(body === undefined ? {} : { body: new Blob([body]).stream(), duplex: 'half' as const }),
      });
    const before = desk.orders.length;
    const path = `/api/v1/messages/${desk.ids.waiting}/retry`;
    expect((await send(path, 'POST', '{"why":"in pieces"}')).status).toBe(200);
    expect(desk.orders.slice(before)).toEqual([expect.objectContaining({ why: 'in pieces' })]);
    expect((await send(path, 'POST', `{"why":"${'x'.repeat(70_000)}"}`)).status).toBe(413);
    expect((await send('/api/v1/status', 'OPTIONS')).status).toBe(404);
  });

  it('that is no JSON is refused in JSON', async () => {
    for (const [body, error] of [
      ['{', 'Malformed JSON in request body'],
      ['[]', 'request: Invalid input: expected object, received array'],
    ] as const) {
      const answer = await desk.post('/api/v1/messages/x/hold', body, { ...bearer, ...asJson });
      expect([answer.status, await answer.json()]).toEqual([400, { error }]);
    }
    const foreign = { ...asJson, Origin: 'http://b.test' };
    const refused = await desk.post('/api/v1/messages/x/hold', '{"why":"x"}', foreign);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { error: 'the request comes from another site' },
    ]);
  });
});

describe('the queue page', () => {
  it('takes the number of an event for an instant, as --at does', async () => {
    expect(await (await desk.get('/queue?at=1', bearer)).text()).toContain('after event 1:');
    expect(await (await desk.get('/queue?at=-1', bearer)).text()).toContain('That is no time');
  });
});

describe('every answer', () => {
  it('keeps everything from elsewhere out, and itself out of frames and caches', async () => {
    const paths = [
      '/',
      '/queue',
      '/no-such-page',
      '/api/v1/queue',
      '/api/openapi.json',
      '/metrics',
      '/healthz',
      '/login',
    ];
    for (const path of paths) {
      const { headers } = await desk.get(path);
      expect([path, headers.get('content-security-policy')]).toEqual([path, contentPolicy]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('no-store');
    }
    expect(contentPolicy).toContain("frame-ancestors 'none'");
    expect(contentPolicy).not.toMatch(/unsafe|\*|https?:/);
  });

  it('holds no script, style or handler of its own', async () => {
    for (const path of [
      '/',
      '/queue',
      '/search',
      '/hosts',
      '/tail',
      `/letters/${desk.ids.hostile}`,
    ]) {
      const text = await (await desk.get(path)).text();
      expect(text).not.toMatch(/<script>|<style|\sstyle=|\son\w+="/);
      expect(text.match(/(?:src|href)="(?:https?:)?\/\//g)).toBeNull();
    }
    expect(await (await desk.get(`/letters/${desk.ids.hostile}`)).text()).not.toContain(hostile);
  });

  it('serves scripts and style from itself, and again only when they changed', async () => {
    for (const name of ['desk.css', 'desk.js', 'theme.js', 'htmx.js', 'mark.svg']) {
      const first = await desk.get(`/assets/${name}`);
      expect([name, first.status]).toEqual([name, 200]);
      const again = await desk.get(`/assets/${name}`, {
        'If-None-Match': first.headers.get('etag')!,
      });
      expect(again.status).toBe(304);
    }
    expect((await desk.get('/assets/..%2fdesk.ts')).status).toBe(404);
  });

  it('tells a letter that is not there from a mistake', async () => {
    expect((await desk.get('/letters/019b7654-0c00-7000-8000-0000000000ff')).status).toBe(404);
    expect((await desk.get('/api/v1/messages/zzz')).status).toBe(404);
    expect((await desk.get('/api/v1/queue?limit=0')).status).toBe(400);
    expect((await desk.get('/api/v1/queue?at=soonish')).status).toBe(400);
  });
});

type Operation = {
  readonly responses: {
    readonly [code: string]: { readonly content?: Readonly<Record<string, { schema: unknown }>> };
  };
};
type Document = {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

describe('the API', () => {
  let document: Document;
  const ask = async (path: string) => (await (await desk.get(path)).json()) as never;
  beforeAll(async () => {
    document = (await (await desk.get('/api/openapi.json')).json()) as Document;
  });

  /** The schema that the document gives for an answer, with what it refers to. */
  const schemaOf = (path: string, method = 'get'): z.ZodType => {
    const { schema } =
      document.paths[path]![method]!.responses['200']!.content!['application/json']!;
    const text = JSON.stringify({ ...(schema as object), $defs: document.components.schemas });
    return z.fromJSONSchema(
      JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as never,
    );
  };

  it('answers as its OpenAPI document says', async () => {
    const { many, bounced } = desk.ids;
    const asked: [string, string][] = [
      ['/api/v1/status', '/api/v1/status'],
      ['/api/v1/queue', '/api/v1/queue?limit=3'],
      ['/api/v1/queue', '/api/v1/queue?at=-2h'],
      ['/api/v1/search', '/api/v1/search'],
      ['/api/v1/search', '/api/v1/search?sender=%3C%3E&limit=1'],
      ['/api/v1/messages/{id}', `/api/v1/messages/${many}`],
      ['/api/v1/messages/{id}/why', `/api/v1/messages/${many}/why`],
      ['/api/v1/messages/{id}/why', `/api/v1/messages/${bounced}/why?recipient=0`],
      ['/api/v1/hosts', '/api/v1/hosts'],
      ['/api/v1/traffic', '/api/v1/traffic?from=-1d&minutes=30'],
    ];
    for (const [path, address] of asked) {
      const answer: unknown = await ask(address);
      const { success, error } = schemaOf(path).safeParse(answer);
      expect([address, success, error?.issues ?? []]).toEqual([address, true, []]);
    }
    expect(schemaOf('/api/v1/queue').safeParse({ at: 'now' }).success).toBe(false);
  });

  it('tells what waits, and what waited at an instant or position', async () => {
    const now: { entries: object[]; position: number } = await ask('/api/v1/queue');
    expect(now.entries).toHaveLength(5);
    expect(await ask('/api/v1/queue?at=-100min')).toMatchObject({ counts: { recipients: 4 } });
    expect(await ask(`/api/v1/queue?at=${now.position}`)).toMatchObject({
      counts: { recipients: 5 },
    });
    expect(await ask('/api/v1/queue?at=1')).toMatchObject({ counts: { recipients: 0 } });
    const page: { entries: object[] } = await ask('/api/v1/queue?limit=2&offset=4');
    expect(page.entries).toEqual(now.entries.slice(4));
  });

  it('finds letters page by page', async () => {
    const first: { letters: { message: string }[]; next: string } =
      await ask('/api/v1/search?limit=4');
    const rest: { letters: { message: string }[]; next?: string } = await ask(
      `/api/v1/search?limit=4&after=${first.next}`,
    );
    const all = [...first.letters, ...rest.letters].map(({ message }) => message);
    expect(all).toHaveLength(6);
    expect(new Set(all).size).toBe(6);
    expect(rest.next).toBeUndefined();
  });

  it('carries out an order, records who and why, and says what came of it', async () => {
    const path = `/api/v1/messages/${desk.ids.waiting}`;
    const done = await desk.post(`${path}/hold`, '{"why":"asked to"}', { ...asJson, ...bearer });
    expect(await done.json()).toMatchObject({ act: 'hold', said: expect.stringContaining('held') });
    expect(desk.orders.at(-1)).toMatchObject({ by: 'token (desk)', why: 'asked to' });
    expect(await ask(`${path}/why`)).toMatchObject([{ waitsFor: 'operator' }]);
    const wrong = await desk.post(`${path}/redirect`, '{"why":"x","to":"nobody"}', {
      ...asJson,
      ...bearer,
    });
    expect([wrong.status, ((await wrong.json()) as { error: string }).error]).toEqual([
      409,
      expect.stringContaining('no address'),
    ]);
    expect((await desk.post(`${path}/hold`, '{}', { ...asJson, ...bearer })).status).toBe(400);
    expect(
      (await desk.post(`${path}/release`, '{"why":"enough"}', { ...asJson, ...bearer })).status,
    ).toBe(200);
  });

  it('streams events from a position on, and goes on where a reader was', async () => {
    const first = await readEvents('/api/v1/events?from=0', 3);
    expect(first.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(first[2]!.data).toMatchObject({ position: 3, type: 'MessageAccepted' });
    const next = await readEvents('/api/v1/events?from=0', 2, { 'Last-Event-ID': '3' });
    expect(next.map(({ id }) => id)).toEqual(['4', '5']);
    const some = await readEvents('/api/v1/events?from=0&type=RecipientFailed', 1);
    expect(some[0]!.data).toMatchObject({ type: 'RecipientFailed' });
  });

  it('streams what happens from now on to who names no position', async () => {
    const coming = readEvents('/api/v1/events', 1, {}, async () => {
      await desk.office.node.tell({ type: 'NodeStopped', data: { why: 'a test', open: 0 } });
    });
    expect((await coming)[0]!.data).toMatchObject({ type: 'NodeStopped' });
  });

  type Told = { id: string; data: unknown };

  /** The first `count` events of a stream; `begun` is called when it is open. */
  async function readEvents(
    path: string,
    count: number,
    headers: Record<string, string> = {},
    begun?: () => Promise<void>,
  ): Promise<Told[]> {
    const stop = new AbortController();
    const answer = await fetch(desk.url + path, { headers, signal: stop.signal });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const told: Told[] = [];
    let text = '';
    let isBegun = false;
    for await (const chunk of answer.body!) {
      text += Buffer.from(chunk).toString();
      if (!isBegun) await begun?.();
      isBegun = true;
      told.length = 0;
      for (const block of text.split('\n\n').slice(0, -1)) {
        const [id, data] = ['id', 'data'].map(
          (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1],
        );
        if (id !== undefined && data !== undefined)
          told.push({ id, data: JSON.parse(data) as unknown });
      }
      if (told.length >= count) break;
    }
    stop.abort();
    return told.slice(0, count);
  }
});

describe('questions that read the whole log', () => {
  it('are asked on a page, at any instant, and told when they make no sense', async () => {
    const page = await (await desk.get('/ask?name=queue-contents')).text();
    expect(page).toContain('late@nowhere.test');
    const before = await (await desk.get('/ask?name=queue-contents&at=-100min')).text();
    expect(before).not.toContain('late@nowhere.test');
    expect(before).toContain('bob@c.test');
    expect(await (await desk.get('/ask?name=traffic&every=often')).text()).toContain(
      'role="alert"',
    );
    expect(await (await desk.get('/ask?name=qmail-log')).text()).toContain('starting delivery');
  });

  it('judge the past again with another control file, and change nothing', async () => {
    const page = await (await desk.get('/what-if?file=virtualdomains')).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)![1]!;
    const asked = { csrf, file: 'virtualdomains', text: 'nowhere.test:demo\r\n', since: '-1d' };
    const judge = async (given: object) =>
      desk.post('/what-if', new URLSearchParams({ ...asked, ...given }).toString(), form);
    const told = await (await judge({})).text();
    expect(told).toContain('would be local demo-late@nowhere.test');
    expect(told).not.toContain('would be local demo-bob');
    expect(await (await judge({ file: 'queuelifetime', text: 'soon' })).text()).toContain(
      'queuelifetime',
    );
    expect((await judge({ csrf: 'guess' })).status).toBe(403);
    expect((await judge({ file: '../passwd' })).status).toBe(403);
  });
});

describe('health and metrics', () => {
  it('says that it lives and is ready, to anybody under any name', async () => {
    callerUid = undefined;
    for (const path of ['/healthz', '/readyz']) {
      expect(await getOnce(desk.url + path, { host: 'probe.test' })).toBe(200);
    }
    callerUid = mine;
  });

  it('counts in Prometheus’ text, by its rules', async () => {
    const answer = await desk.get('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const metrics = parseMetrics(await answer.text());
    const value = (name: string, labels = {}) =>
      metrics
        .get(name)
        ?.samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;
    expect(value('waybill_letters_accepted_total')).toBe(6);
    expect(value('waybill_attempts_total', { verdict: 'failed' })).toBe(1);
    expect(value('waybill_attempts_total', { verdict: 'delivered' })).toBe(4);
    expect(value('waybill_queue_letters')).toBe(3);
    expect(value('waybill_engine_up')).toBe(1);
    for (const [name, { type, help }] of metrics) {
      expect(name).toMatch(/^waybill_[a-z0-9_]+$/);
      expect([name, help]).toEqual([name, expect.stringMatching(/\S/)]);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    }
  });
});
