import { afterAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openCaged } from '../../src/ask/asking.ts';
import { define } from '../../src/ask/portable/definition.ts';
import { Projection, type Emitted, type StoredEvent } from '../../src/ask/portable/projection.ts';
import { toStateText } from '../../src/ask/portable/state-text.ts';
import { walk } from '../../src/ask/walk.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import * as mail from '../support/queue-mail.ts';
import { tempDir } from '../support/temp-dir.ts';
import { idEnding } from '../trace/recorded.ts';

type Step = readonly [stream: string, type: string, data?: unknown];

/** Runs a text over events whose numbers in their streams follow from their order. */
function ran(text: string, steps: readonly Step[]) {
  const emitted: Emitted[] = [];
  const definition = define(text, 'p.js', 10_000);
  const projection = new Projection('p', definition, (event) => emitted.push(event));
  const numbers = new Map<string, number>();
  for (const step of steps) projection.handle(toStored(step, numbers));
  const results = emitted.filter(({ type }) => type.startsWith('Result'));
  return { states: Object.fromEntries(projection.states), emitted, results };
}

function toStored(
  [streamId, eventType, data = {}]: Step,
  numbers: Map<string, number>,
): StoredEvent {
  const sequenceNumber = numbers.get(streamId) ?? 0;
  numbers.set(streamId, sequenceNumber + 1);
  return { streamId, eventType, sequenceNumber, bodyRaw: JSON.stringify(data) };
}

const queue = (type: string, data?: unknown): Step => ['queue-main', type, data];

/** The worked examples of the language's description, and what stands beside them. */
describe("a projection in the event store's language", () => {
  it('counts one stream and tells each result that is another', () => {
    const { states, results } = ran(
      `fromStream('queue-main').when({$init:()=>({n:0,bytes:0}), Accepted(s,e){s.n++;s.bytes+=e.data.size;},
       Delivered(s){s.n--;}}).transformBy(s=>({open:s.n})).outputState()`,
      [
        ...[queue('Accepted', { size: 10 }), queue('Accepted', { size: 5 })],
        ...[
          queue('Renamed'),
          queue('Delivered'),
          ['queue-other', 'Accepted', { size: 7 }] as const,
        ],
      ],
    );
    expect(states).toEqual({ '': '{"n":1,"bytes":15}' });
    expect(results.map(({ stream, data }) => [stream, data])).toEqual([
      ['$projections-p-result', '{"open":1}'],
      ['$projections-p-result', '{"open":2}'],
      ['$projections-p-result', '{"open":1}'],
    ]);
  });

  it('keeps a state for each stream; none of ours is ever deleted', () => {
    const { states, emitted } = ran(
      `fromCategory('message').foreachStream().when({$init:()=>({state:'new',attempts:0}),
       Received(s){s.state='queued';}, Attempted(s){s.attempts++;}, Delivered(s){s.state='done';},
       $deleted(s){s.state='erased';}})`,
      [
        ...(['a Received', 'b Received', 'a Attempted', 'a Delivered'] as const).map(
          (words) => [`message-${words[0]!}`, words.slice(2)] as const,
        ),
      ],
    );
    expect(states).toEqual({
      'message-a': '{"state":"done","attempts":1}',
      'message-b': '{"state":"queued","attempts":0}',
    });
    expect(emitted).toEqual([]);
  });

  it('divides by what the events say, and tells results that pass a filter', () => {
    const bounced = (domain?: unknown) => ['message-a', 'Bounced', { domain }] as const;
    const { states, emitted } = ran(
      `fromAll().partitionBy(e=>e.data.domain).when({$init:()=>({bounces:0}), Bounced(s){s.bounces+=1;return s;}})
       .filterBy(s=>s.bounces>1).transformBy(s=>({hot:s.bounces})).outputTo('bounces','bounces-{0}')`,
      [bounced('x.org'), bounced('y.org'), bounced('x.org'), bounced(), bounced({}), bounced(true)],
    );
    expect(states).toEqual({ 'x.org': '{"bounces":2}', 'y.org': '{"bounces":1}' });
    expect(emitted).toEqual([
      { stream: 'bounces-x.org', type: 'Result', data: '{"hot":2}' },
      { stream: 'bounces', type: '$>', data: '0@bounces-x.org' },
    ]);
  });

  it('links and emits', () => {
    const { states, emitted } = ran(
      `fromCategory('message').when({Received(s,e){ linkTo('mailbox-'+e.data.to,e);
       emit('audit','Seen',{id:e.streamId,n:e.sequenceNumber},{by:'p1'}); }})`,
      [
        ['message-a', 'Received', { to: 'bob' }],
        ['message-b', 'Received', { to: 'ann' }],
      ],
    );
    expect(states).toEqual({ '': '{}' });
    const seen = (id: string) => ({
      ...{ stream: 'audit', type: 'Seen' },
      ...{ data: `{"id":"${id}","n":0}`, metadata: '{"by":"p1"}' },
    });
    expect(emitted).toEqual([
      { stream: 'mailbox-bob', type: '$>', data: '0@message-a' },
      seen('message-a'),
      { stream: 'mailbox-ann', type: '$>', data: '0@message-b' },
      seen('message-b'),
    ]);
  });

  it('shares a state between partitions', () => {
    const delivered = (domain: string) => ['message-a', 'Delivered', { domain }] as const;
    const { states } = ran(
      `fromCategory('message').partitionBy(e=>e.data.domain).when({$init:()=>({n:0}), $initShared:()=>({total:0}),
       Delivered(s){s[0].n++;s[1].total++;return s;}})`,
      [delivered('x'), delivered('y'), delivered('x')],
    );
    expect(states).toEqual({ x: '{"n":2}', y: '{"n":1}', '': '{"total":3}' });
  });

  const all: readonly Step[] = [
    ['message-a', 'Received'],
    ['$$message-a', '$metadata'],
    ['$ce-message', '$>'],
    ['$projections-x', '$ProjectionUpdated'],
    ['message-a', 'Delivered'],
  ];

  it("hears what streams say of themselves when it wants everything, and nothing of the system's", () => {
    const any = ran('fromAll().when({$any(s,e){s.seen=(s.seen||0)+1;s.last=e.eventType;}})', all);
    expect(any.states).toEqual({ '': '{"seen":3,"last":"Delivered"}' });
    const named = ran('fromAll().when({$metadata(s){s.n=1;}, Delivered(s){s.n=2;}})', all);
    expect(named.states).toEqual({ '': '{"n":2}' });
  });

  it.each([
    [
      '$any first, then a name: only the name',
      'fromAll().when({$any(s){s.any=1;}, Received(s){s.foo=1;}})',
      '{"foo":1}',
    ],
    ['no handler at all: the last body', 'fromStream("message-a").outputState()', '{"k":2}'],
    [
      'a handler that gives nothing keeps what it changed',
      'fromAll().when({Received(s){s.a=1;}})',
      '{"a":1}',
    ],
    [
      'a handler that gives null clears, and $init is asked again',
      'fromAll().when({$init:()=>({n:5}), Received:()=>null, Delivered(s){s.n++;}})',
      '{"n":6}',
    ],
    [
      '$created runs before the first event only',
      'fromAll().when({$created(s){s.c=(s.c||0)+1;return 7;}, Received(s){}, Delivered(s){}})',
      '{"c":1}',
    ],
    [
      'on_event() and on_any() are handlers too',
      'fromAll(); on_event("Received", s => { s.e = 1; })',
      '{"e":1}',
    ],
    [
      'a Date is lost',
      'fromAll().when({Received(s){ s.at=new Date(0); s.m=new Map([[1,2]]); s.f=()=>1; s.u=undefined; s.n=NaN; s.b=5n; }})',
      '{"at":{},"m":{},"f":{},"n":null,"b":"5"}',
    ],
    [
      'the event is what it says it is',
      'fromCategory("message").when({Received(s,e){ return [e.streamId, e.sequenceNumber, e.isJson, e.category, e.body === e.data, Object.keys(e).length, e.metadata]; }})',
      '["message-a",0,true,"message",true,11,null]',
    ],
    [
      'the event cannot be changed',
      '"use strict"; fromAll().when({Received(s,e){ try { e.streamId = 1; } catch { s.no=1; } }})',
      '{"no":1}',
    ],
  ])('takes %s', (_, text, state) => {
    const { states } = ran(text, [
      ['message-a', 'Received', { k: 1 }],
      ['message-a', 'Delivered', { k: 2 }],
    ]);
    expect(states).toEqual({ '': state });
  });

  it.each([
    ['1 + 1', /from nowhere/],
    ['fromAll().when({Foo(s){}, $any(s){}})', /both all events and specific events/],
    ['fromStream("a").foreachStream()', /not a function/],
    ['fromCategory("a","b").foreachStream().when({})', /foreachStream\(\) goes with/],
    ['fromAll().when({$deleted(s){}})', /\$deleted goes with/],
    ['fromAll().foreachStream().when({$deleted(s){}, $initShared:()=>0})', /does not go with/],
    ['fromAll(); fromStream("a")', /more than one kind of source/],
    ['options({unknown: 1}); fromAll()', /no option unknown/],
    ['options({$includeLinks: 1}); fromAll()', /must be a boolean/],
    ['options({reorderEvents: true}); fromAll()', /reorderEvents goes with/],
    ['fromAll().outputTo("x")', /not a function/],
    ['fromAll(); eval("1")', /Code generation from strings disallowed/],
    ['fromAll(); new Function("1")', /Code generation from strings disallowed/],
    ['fromAll(); require("fs")', /require is not defined/],
    ['fromAll(); setTimeout(()=>0)', /setTimeout is not defined/],
    ['fromAll(); emit("a","b",{})', /emit is not defined/],
    ['fromAll(); for(;;);', /timed out/],
  ])('is refused: %s', (text, why) => {
    expect(() => define(text, 'p.js', 1_000)).toThrow(why);
  });

  it('is refused what is not there while it runs', () => {
    const run = (text: string) => () =>
      ran(`fromAll().when({Received(s,e){ ${text} }})`, [['message-a', 'Received']]);
    expect(run('fromAll()')).toThrow('fromAll is not defined');
    expect(run('linkStreamTo("a","b","c")')).toThrow('two arguments');
    expect(run('s.a={};let d=s.a;for(let i=0;i<70;i++){d.a={};d=d.a;}')).toThrow('64 levels');
  });

  it('writes states down as the event store does', () => {
    expect(toStateText({ a: [undefined, 1, { toJSON: () => 2 }], b: Infinity })).toBe(
      '{"a":[null,1,{"toJSON":{}}],"b":null}',
    );
  });
});

describe('a file in that language', () => {
  const readme = resolve(import.meta.dirname, '../../projections/README.md');

  it('may be the one that the documents show', () => {
    const example = /```js\n([\s\S]*?)```/.exec(readFileSync(readme, 'utf8'))![1]!;
    const { states } = ran(example, [
      ['message-a', 'MessageAccepted', { envelope: { recipients: ['x', 'y'] } }],
      ['message-a', 'RecipientFailed'],
    ]);
    expect(states).toEqual({ 'message-a': '{"recipients":2,"failed":1}' });
  });

  const dir = tempDir();
  afterAll(() => dir.remove());

  it('is a question like any other: its states are the answer', async () => {
    const log = new MemoryLog();
    await log.append(`message-${idEnding('1')}`, -1, mail.letter('a@b.test', 'c@b.test'));
    await log.append(`message-${idEnding('2')}`, -1, mail.letter('d@e.test'));
    const file = dir.file('per-count.js');
    writeFileSync(
      file,
      `// Letters by their number of recipients
       fromCategory('message').partitionBy(e => e.data.envelope.recipients.length)
         .when({ $init: () => ({ n: 0 }), MessageAccepted(s, e) { s.n++; linkTo('seen', e); } });`,
    );
    const caged = await openCaged('per-count', file);
    if ('why' in caged) throw new Error(caged.why);
    expect(caged.named.question).toMatchObject({
      ...{ title: 'Letters by their number of recipients', hears: ['MessageAccepted'] },
    });
    const asking = await caged.start({});
    await walk(log, asking);
    expect(await asking.answer(0)).toEqual({
      ...{ kind: 'table', columns: [{ name: 'partition' }, { name: 'state' }] },
      rows: [
        ['2', '{"n":1}'],
        ['1', '{"n":1}'],
      ],
      notes: ['In an event store it would write 2 events to 1 stream.'],
    });
    caged.close();
    await log.close();
  });
});
