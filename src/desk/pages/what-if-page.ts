/** "What if": the past judged again under another control file. There when somebody can judge it. */
import { html } from 'hono/html';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { harmless } from '../../ask/words.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import { hasWord, type DeskEnv } from '../guard/gate.ts';
import type { Otherwise } from '../ports.ts';
import type { Ask, PageParts } from './showing.ts';
import { troubled } from './troubled.ts';
import type { Html } from './words.ts';

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

export function serveWhatIf(
  app: OpenAPIHono<DeskEnv>,
  parts: PageParts,
  otherwise: Otherwise,
): void {
  const show = async (context: Ask, tried: Partial<WhatIfSeen>): Promise<Response> => {
    const seen = await seenIn(tried, context.req.query('file'), otherwise);
    const { csrf } = context.get('identity');
    return parts.show(context, 'What if', whatIfPage(seen, csrf), '/what-if');
  };
  app.get('/what-if', (context) => show(context, {}));
  app.post('/what-if', async (context) => {
    const form = await context.req.parseBody();
    const tried = triedIn(form);
    if (!hasWord(context.get('identity'), form['csrf']) || !isChangeable(tried.file)) {
      return context.text('Refused: the form is not from this desk, or too old.\n', 403);
    }
    const since =
      tried.since.trim() === '' ? undefined : parseInstant(tried.since, parts.clock.now());
    const changed = { [tried.file]: withLastLine(tried.text) };
    const lines = await otherwise.compare(changed, since).catch((cause) => [troubled(cause)]);
    return show(context, { ...tried, lines });
  });
}

/** What was tried, or the file as it is in force. */
async function seenIn(
  tried: Partial<WhatIfSeen>,
  wanted: string | undefined,
  otherwise: Otherwise,
): Promise<WhatIfSeen> {
  const files = await otherwise.files();
  const asked = tried.file ?? wanted ?? '';
  const file = changeable.find((name) => name === asked) ?? changeable[0];
  const text = tried.text ?? files[file] ?? '';
  return { file, text, since: tried.since ?? '-1d', lines: tried.lines };
}

/** Browsers send lines that end in CRLF. */
function triedIn(form: Record<string, unknown>): { file: string; text: string; since: string } {
  const field = (name: string): string => {
    const value = form[name];
    return typeof value === 'string' ? value : '';
  };
  return { file: field('file'), text: field('text').replace(/\r\n/g, '\n'), since: field('since') };
}

/** In a control file every line has its end. */
const withLastLine = (text: string): string =>
  text === '' || text.endsWith('\n') ? text : `${text}\n`;

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
