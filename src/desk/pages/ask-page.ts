/** "Ask": a question to the whole log, put on a page. There when somebody answers it. */
import { html } from 'hono/html';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Answer, Cell, Column, Named, Option } from '../../ask/ports.ts';
import { harmless } from '../../ask/words.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import { formatInstant, formatSpan } from '../../trace/words.ts';
import type { DeskEnv } from '../guard/gate.ts';
import type { Questions } from '../ports.ts';
import type { Ask, PageParts } from './showing.ts';
import { troubled } from './troubled.ts';
import { bytes, number, shown, type Html } from './words.ts';

export function serveAsk(app: OpenAPIHono<DeskEnv>, parts: PageParts, questions: Questions): void {
  app.get('/ask', async (context) => {
    const seen = await askedIn(context, parts, questions);
    return parts.show(context, 'Ask', askPage(seen), '/ask');
  });
}

async function askedIn({ req }: Ask, { clock }: PageParts, questions: Questions): Promise<AskSeen> {
  const list = await questions.list();
  const at = req.query('at') ?? '';
  const asked = list.find(({ name }) => name === req.query('name'));
  const given = givenOptions(asked, (option) => req.query(option));
  if (asked === undefined) return { list, asked, at, given, answer: undefined };
  const instant = at === '' ? undefined : parseInstant(at, clock.now());
  const place = instant === undefined ? {} : { place: { at: instant } };
  const answer = await questions.ask(asked.name, { ...place, given }).catch(troubled);
  return { list, asked, at, given, answer };
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
