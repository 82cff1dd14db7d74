/** Letters that match, one letter, and an operator's hand on it. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { parseMessageId } from '../../mail/message-id.ts';
import type { Incarnation } from '../../nodes/events.ts';
import type { Clock, Instant } from '../../platform/clock.ts';
import { familyOf, type Member } from '../../trace/family.ts';
import { actByHand, type ActGiven } from '../by-hand.ts';
import { hasWord, type DeskEnv } from '../guard/gate.ts';
import { actNames, type Act } from './actions.ts';
import { letterPage } from './letter-page.ts';
import { nodeNameOf } from './node-names.ts';
import { searchPage } from './search-page.ts';
import { search, textsOf } from './search-question.ts';
import type { Ask, PageParts } from './showing.ts';
import { letterPath } from './words.ts';

/** Letters of a family that a page tells of. */
const family = { letters: 20, depth: 3 };

const staleForm = 'Refused: the form is not from this desk, or too old. Load the page again.\n';

export function serveLetterPages(app: OpenAPIHono<DeskEnv>, parts: PageParts): void {
  const said = openSaid(parts.clock);
  app.get('/search', (context) => showSearch(context, parts));
  app.get('/letters/:id', (context) => showLetter(context, context.req.param('id'), parts, said));
  app.post('/letters/:id/:act', (context) => {
    const message = parseMessageId(context.req.param('id'));
    const act = actNames.find((name) => name === context.req.param('act'));
    if (message === undefined || act === undefined) return context.notFound();
    return obey(context, { message, act }, parts, said);
  });
}

async function showSearch(context: Ask, parts: PageParts): Promise<Response> {
  const texts = textsOf(context);
  const found = await search(parts, texts, context.req.query('after'));
  return parts.show(context, 'Search', searchPage({ texts, ...found }), '/search');
}

async function showLetter(context: Ask, id: string, parts: PageParts, said: Said) {
  const { letters, log, nodes, clock } = parts;
  const message = await letters.find(id);
  if (message !== id) return context.redirect(letterPath(message), 303);
  const now = clock.now();
  const members: (Member | undefined)[] = [];
  for await (const member of familyOf(log, message, family)) members.push(member);
  const done = said.take(context.req.query('said') ?? '');
  const { reasons } = await letters.reasons(message);
  const seen = {
    ...{ message, family: members, now, identity: context.get('identity'), reasons },
    subject: await letters.subject(message),
    nodeOf: (incarnation: Incarnation) => nodeNameOf(nodes, incarnation),
    owner: nodes.ownerOf(message),
    ...(done === undefined ? {} : { done }),
  };
  return parts.show(context, `Letter ${message.slice(-12)}`, letterPage(seen));
}

type Order = { readonly message: string; readonly act: Act };

async function obey(context: Ask, { message, act }: Order, parts: PageParts, said: Said) {
  const identity = context.get('identity');
  const form = await context.req.parseBody();
  if (!hasWord(identity, form['csrf'])) return context.text(staleForm, 403);
  const text = await actByHand(parts, identity, { message, act, ...givenIn(form, act) });
  return context.redirect(`${letterPath(message)}?said=${said.put(text)}`, 303);
}

function givenIn(form: Record<string, unknown>, act: Act): ActGiven {
  const { why, to, rcpt } = form;
  return {
    why: typeof why === 'string' ? why : '',
    ...(act === 'redirect' && typeof to === 'string' ? { to: to.trim() } : {}),
    ...(typeof rcpt === 'string' && /^\d{1,6}$/.test(rcpt) ? { rcpts: [Number(rcpt)] } : {}),
  };
}

/** What an order came to: said once, on the page that follows it, and forgotten after a minute. */
type Said = {
  put(text: string): string;
  take(key: string): string | undefined;
};

const saidForMs = 60_000;
const mostSaid = 1_000;

function openSaid(clock: Clock): Said {
  const texts = new Map<string, { readonly text: string; readonly until: Instant }>();
  return {
    put(text) {
      const key = crypto.randomUUID();
      const now = clock.now();
      for (const [old, { until }] of texts) {
        if (until < now || texts.size > mostSaid) texts.delete(old);
      }
      texts.set(key, { text, until: now + saidForMs });
      return key;
    },
    take(key) {
      const text = texts.get(key)?.text;
      texts.delete(key);
      return text;
    },
  };
}
