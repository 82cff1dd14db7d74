/** "Ask" and "What if": pages that are there when somebody answers them. */
import { html } from 'hono/html';
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Answer, Cell, Column, Named, Option } from '../../ask/ports.ts';
import { harmless } from '../../ask/words.ts';
import { isTrouble } from '../../mail/trouble.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import { formatInstant, formatSpan } from '../../trace/words.ts';
import { hasWord, type DeskEnv } from '../guard/gate.ts';
import type { DeskParts } from '../ports.ts';
import type { Show } from './routes.ts';
import { bytes, number, shown, type Html } from './words.ts';

export function extraPages(app: OpenAPIHono<DeskEnv>, parts: DeskParts, show: Show): void {
  const { questions, otherwise, clock } = parts;
  if (questions !== undefined) {
    app.get('/ask', async (context) => {
      const list = await questions.list();
      const name = context.req.query('name') ?? '';
      const at = context.req.query('at') ?? '';
      const asked = list.find((each) => each.name === name);
      const instant = at === '' ? undefined : parseInstant(at, clock.now());
      const given = givenOptions(asked, (option) => context.req.query(option));
      const answer =
        asked === undefined
          ? undefined
          : await questions
              .ask(name, { ...(instant === undefined ? {} : { place: { at: instant } }), given })
              .catch((cause: unknown) => troubled(cause));
      return show(context, 'Ask', askPage({ list, asked, at, given, answer }), '/ask');
    });
  }
  if (otherwise !== undefined) {
    const frame = async (context: Context<DeskEnv>, tried: Partial<WhatIfSeen>) => {
      const files = await otherwise.files();
      const asked = tried.file ?? context.req.query('file') ?? '';
      const file = changeable.find((name) => name === asked) ?? changeable[0];
      const text = tried.text ?? files[file] ?? '';
      const seen = { file, text, since: tried.since ?? '-1d', lines: tried.lines };
      const { csrf } = context.get('identity');
      return show(context, 'What if', whatIfPage(seen, csrf), '/what-if');
    };
    app.get('/what-if', (context) => frame(context, {}));
    app.post('/what-if', async (context) => {
      const form = await context.req.parseBody();
      const [file, text, since] = ['file', 'text', 'since'].map((name) => {
        const value = form[name];
        return typeof value === 'string' ? value : '';
      }) as [string, string, string];
      if (!hasWord(context.get('identity'), form['csrf']) || !isChangeable(file)) {
        return context.text('Refused: the form is not from this desk, or too old.\n', 403);
      }
      const from = since.trim() === '' ? undefined : parseInstant(since, clock.now());
      const plain = text.replace(/\r\n/g, '\n');
      const changed = { [file]: plain === '' || plain.endsWith('\n') ? plain : `${plain}\n` };
      const lines = await otherwise
        .compare(changed, from)
        .catch((cause: unknown) => [troubled(cause)]);
      return frame(context, { file, text: plain, since, lines });
    });
  }
}

/** Control files that decide where letters go, who may send, and how long they wait. */
const changeable = [
  ...['virtualdomains', 'smtproutes', 'locals', 'rcpthosts', 'badmailfrom', 'databytes'],
  ...['queuelifetime', 'percenthack', 'envnoathost', 'tcp.smtp'],
] as [string, ...string[]];

const isChangeable = (file: string): boolean => changeable.includes(file);

type WhatIfSeen = {
  readonly file: string;
  readonly text: string;
  readonly since: string;
  readonly lines: readonly string[] | undefined;
};

/** What is wrong with a question is said on its page; what is wrong with us is not. */
function troubled(cause: unknown): string {
  if (isTrouble(cause) || (cause instanceof Error && cause.name === 'Error')) return cause.message;
  throw cause;
}

function givenOptions(asked: Named | undefined, read: (option: string) => string | undefined) {
  const given: { [option: string]: string } = {};
  for (const option of Object.keys(asked?.question.options ?? {})) {
    const text = read(option)?.slice(0, 500) ?? '';
    if (text !== '') given[option] = text;
  }
  return given;
}

type AskSeen = {
  readonly list: readonly Named[];
  readonly asked: Named | undefined;
  readonly at: string;
  readonly given: { readonly [option: string]: string };
  /** Or why there is none. */
  readonly answer: Answer | string | undefined;
};

const askPage = ({ list, asked, at, given, answer }: AskSeen): Html =>
  html`<h1>Ask</h1>
    <p class="told">
      Each of these folds the whole log into one answer, now or at any instant; a file in the folder
      of questions adds one.
    </p>
    <div class="ask">
      <ul class="questions">
        ${list.map(
          ({ name, question }) =>
            html`<li>
              <a
                href="/ask?name=${encodeURIComponent(name)}"
                ${asked?.name === name ? html`aria-current="true"` : ''}
                ><b>${name}</b> <small>${shown(question.title, 120)}</small></a
              >
            </li>`,
        )}
      </ul>
      <div>
        ${asked === undefined ? html`<p class="nothing">Choose a question.</p>` : askForm(asked, at, given)}${answer === undefined ? '' : answered(answer)}
      </div>
    </div>`;

const askForm = ({ name, question }: Named, at: string, given: AskSeen['given']): Html =>
  html`<h2>${shown(question.title)}</h2>
    <p>${shown(question.about, 600)}</p>
    <form class="filters" action="/ask">
      <input type="hidden" name="name" value="${name}" />
      ${Object.entries(question.options ?? {}).map(([option, about]) => optionField(option, about, given[option] ?? ''))}
      <label>At<input name="at" value="${at}" placeholder="now" autocomplete="off" /></label>
      <button type="submit">Ask</button>
    </form>`;

function optionField(
  name: string,
  { kind, about, default: usual, required }: Option,
  given: string,
): Html {
  const label = `${name}`;
  if (typeof kind !== 'string') {
    return html`<label title="${about}"
      >${label}<select name="${name}">
        ${['', ...kind].map((each) => html`<option ${each === given ? html`selected` : ''}>${each}</option>`)}
      </select></label
    >`;
  }
  return html`<label title="${about}"
    >${label}<input
      name="${name}"
      value="${given}"
      placeholder="${usual ?? ''}"
      ${required === true ? html`required` : ''}
      autocomplete="off"
  /></label>`;
}

function answered(answer: Answer | string): Html {
  if (typeof answer === 'string')
    return html`<p class="trouble" role="alert">${shown(answer, 500)}</p>`;
  if (answer.kind === 'lines')
    return html`<pre class="answer" tabindex="0">
${answer.lines.slice(0, mostRows).map((line) => `${harmless(line)}\n`)}</pre>
      ${answer.lines.length > mostRows ? html`<p class="told">and ${number(answer.lines.length - mostRows)} more lines: waybill ask has them all</p>` : ''}`;
  const rows = answer.rows.slice(0, mostRows);
  return html`<table class="list">
      <thead>
        <tr>
          ${answer.columns.map(({ name, about }) => html`<th scope="col" title="${about ?? ''}">${shown(name, 60)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${answer.columns.map((column, index) => html`<td data-name="${shown(column.name, 60)}">${cell(row[index], column)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
    ${answer.rows.length > mostRows ? html`<p class="told">and ${number(answer.rows.length - mostRows)} more rows: waybill ask has them all</p>` : ''}
    ${(answer.notes ?? []).map((note) => html`<p class="told">${shown(note)}</p>`)}`;
}

const mostRows = 500;

function cell(value: Cell, { format }: Column): string {
  if (value === undefined) return '–';
  if (typeof value === 'string') return shown(value, 200);
  switch (format) {
    case 'bytes':
      return bytes(value);
    case 'instant':
      return formatInstant(value);
    case 'span':
      return formatSpan(value);
    case 'seconds':
      return value.toFixed(2);
    case 'percent':
      return `${value} %`;
    default:
      return number(value);
  }
}

const whatIfPage = ({ file, text, since, lines }: WhatIfSeen, csrf: string): Html =>
  html`<h1>What if</h1>
    <p class="told">
      Judges the past again as if one control file had been another, and lists what would have been
      different. Nothing is changed; what far hosts said is taken from the record.
    </p>
    <div class="ask">
      <ul class="questions">
        ${changeable.map(
          (name) =>
            html`<li>
              <a
                href="/what-if?file=${encodeURIComponent(name)}"
                ${name === file ? html`aria-current="true"` : ''}
                ><b>${name}</b></a
              >
            </li>`,
        )}
      </ul>
      <form class="stack" method="post" action="/what-if">
        <input type="hidden" name="csrf" value="${csrf}" />
        <input type="hidden" name="file" value="${file}" />
        <label
          >control/${file}, as it might have been<textarea
            name="text"
            rows="8"
            spellcheck="false"
            maxlength="40000"
          >
${text}</textarea>
        </label>
        <div class="filters">
          <label
            >Letters since<input
              name="since"
              value="${since}"
              placeholder="the first day"
              autocomplete="off"
          /></label>
          <button type="submit" class="main">Judge again</button>
        </div>
        ${lines === undefined ? '' : html`<pre class="answer" tabindex="0" role="status">${lines.map((line) => `${harmless(line)}\n`)}</pre>`}
      </form>
    </div>`;
