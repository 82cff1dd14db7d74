/**
 * The tables of the view database, and the views of SQL on them that analysts may rely on (docs/SQL.md).
 * Times are milliseconds since 1970 in the tables, ISO 8601 in the views. Everything here can be computed
 * again from the log: a file with another fingerprint is thrown away.
 */
import { facts, recipientStates, verdictKinds } from '../letter.ts';

const open = 'state <= 1';

/** Merged seldom: half the work of writing, for a few more pieces to be looked through. A batch is one piece. */
const settingsOfIndex = (name: string): string => `INSERT INTO ${name} (${name}, rank)
  VALUES ('automerge', 12), ('crisismerge', 24), ('hashsize', 16777216);`;

const tables = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE letter (
  pos INTEGER PRIMARY KEY, id BLOB NOT NULL, at INTEGER NOT NULL, sender TEXT NOT NULL, bytes INTEGER NOT NULL,
  protocol TEXT NOT NULL, peer TEXT, helo TEXT, auth TEXT, message_id TEXT, parent BLOB, parent_why TEXT,
  child BLOB, held INTEGER NOT NULL, facts INTEGER NOT NULL, done_at INTEGER
);
CREATE UNIQUE INDEX letter_id ON letter (id);
CREATE INDEX letter_waiting ON letter (pos) WHERE facts & ${facts.waiting} <> 0;
CREATE INDEX letter_held ON letter (pos) WHERE facts & ${facts.held} <> 0;
CREATE TABLE recipient (
  letter INTEGER NOT NULL, rcpt INTEGER NOT NULL, address TEXT NOT NULL, formerly TEXT, channel TEXT NOT NULL,
  host TEXT NOT NULL, relay TEXT, rule TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,
  due_at INTEGER, last INTEGER, doubt INTEGER NOT NULL, PRIMARY KEY (letter, rcpt)
) WITHOUT ROWID;
CREATE INDEX recipient_waiting ON recipient (host, letter) WHERE ${open};
CREATE INDEX recipient_age ON recipient (letter) WHERE ${open};
CREATE TABLE shape (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE attempt (
  pos INTEGER PRIMARY KEY, letter INTEGER NOT NULL, rcpt INTEGER NOT NULL, attempt INTEGER NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, kind INTEGER NOT NULL, host TEXT NOT NULL, relay TEXT,
  code INTEGER, status TEXT, answered_by TEXT, address TEXT, shape INTEGER NOT NULL, reply TEXT,
  due_at INTEGER, doubt INTEGER NOT NULL
);
CREATE INDEX attempt_letter ON attempt (letter);
CREATE TABLE minute (
  minute INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, accepted INTEGER NOT NULL,
  bytes INTEGER NOT NULL, delivered INTEGER NOT NULL, deferred INTEGER NOT NULL, failed INTEGER NOT NULL
);
CREATE TABLE host (
  hour INTEGER NOT NULL, host TEXT NOT NULL, delivered INTEGER NOT NULL, deferred INTEGER NOT NULL,
  failed INTEGER NOT NULL, ms INTEGER NOT NULL, last_at INTEGER NOT NULL, trouble INTEGER,
  PRIMARY KEY (hour, host)
) WITHOUT ROWID;
CREATE TABLE said (
  hour INTEGER NOT NULL, kind INTEGER NOT NULL, shape INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (hour, kind, shape)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE mark USING fts5 (
  terms, content = '', contentless_delete = 1, detail = none,
  tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[\\]^_{|}~'"
);
CREATE VIRTUAL TABLE word USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'trigram');
${['mark', 'word'].map(settingsOfIndex).join('\n')}
`;

const iso = (column: string): string =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

const uuid = (column: string): string =>
  `lower(substr(hex(${column}), 1, 8) || '-' || substr(hex(${column}), 9, 4) || '-' || substr(hex(${column}), 13, 4)
    || '-' || substr(hex(${column}), 17, 4) || '-' || substr(hex(${column}), 21))`;

const named = (column: string, names: Readonly<Record<string, number>>): string =>
  `CASE ${column} ${Object.entries(names)
    .map(([name, number]) => `WHEN ${number} THEN '${name}'`)
    .join(' ')} END`;

const has = (bit: number): string => `l.facts & ${bit} <> 0`;

/** The one word for a letter, as `waybill search` says it. */
const statusOfLetter = `CASE WHEN ${has(facts.held)} THEN 'held' WHEN ${has(facts.waiting)} THEN 'waiting'
  WHEN ${has(facts.bounced)} THEN 'bounced' WHEN ${has(facts.failed)} THEN 'failed'
  WHEN ${has(facts.delivered)} THEN 'delivered' WHEN ${has(facts.cancelled)} THEN 'cancelled' ELSE 'done' END`;

const domain = (column: string): string =>
  `CASE WHEN instr(${column}, '@') THEN lower(replace(${column},
    rtrim(${column}, replace(${column}, '@', '')), '')) ELSE '' END`;

const attemptColumns = `${uuid('l.id')} AS message, a.rcpt AS recipient, r.address AS address, a.attempt AS attempt,
  ${iso('a.started_at')} AS started_at, ${iso('a.ended_at')} AS ended_at, a.ended_at - a.started_at AS ms`;
const replyColumns = `coalesce(a.relay, a.host) AS host, a.answered_by AS answered_by, a.address AS answered_at,
  a.code AS code, a.status AS status, coalesce(a.reply, s.text) AS reply, s.text AS reason`;
const ofAttempt = `attempt a JOIN letter l ON l.pos = a.letter
  JOIN recipient r ON r.letter = a.letter AND r.rcpt = a.rcpt JOIN shape s ON s.id = a.shape`;

const views = `
CREATE VIEW messages AS SELECT ${uuid('l.id')} AS message, ${iso('l.at')} AS accepted_at, ${iso('l.done_at')} AS done_at,
  ${statusOfLetter} AS status, l.sender AS sender, ${domain('l.sender')} AS sender_domain, l.bytes AS bytes,
  (SELECT count(*) FROM recipient r WHERE r.letter = l.pos) AS recipients, l.message_id AS message_id,
  l.protocol AS protocol, l.peer AS peer, l.helo AS helo, l.auth AS auth,
  CASE WHEN l.parent IS NULL THEN NULL ELSE ${uuid('l.parent')} END AS parent, l.parent_why AS parent_why,
  CASE WHEN l.child IS NULL THEN NULL ELSE ${uuid('l.child')} END AS bounce
  FROM letter l;
CREATE VIEW recipients AS SELECT ${uuid('l.id')} AS message, ${iso('l.at')} AS accepted_at, l.sender AS sender,
  r.rcpt AS recipient, r.address AS address, ${domain('r.address')} AS domain,
  ${named('r.state', recipientStates)} AS status, l.held AS held, r.doubt AS in_doubt, r.attempts AS attempts,
  r.channel AS channel, coalesce(r.relay, r.host) AS host, r.rule AS rule, ${iso('r.due_at')} AS due_at,
  CASE WHEN r.state IN (2, 3) THEN ${iso('a.ended_at')} END AS done_at,
  CASE WHEN r.state IN (2, 3) THEN a.ended_at - l.at END AS ms, a.code AS code, coalesce(a.reply, s.text) AS reply
  FROM recipient r JOIN letter l ON l.pos = r.letter
  LEFT JOIN attempt a ON a.pos = r.last LEFT JOIN shape s ON s.id = a.shape;
CREATE VIEW attempts AS SELECT ${attemptColumns}, ${named('a.kind', verdictKinds)} AS verdict, ${replyColumns},
  ${iso('a.due_at')} AS next_at, a.doubt AS in_doubt FROM ${ofAttempt};
CREATE VIEW deferrals AS SELECT ${attemptColumns}, ${replyColumns}, ${iso('a.due_at')} AS next_at,
  a.due_at - a.ended_at AS wait_ms, a.doubt AS in_doubt FROM ${ofAttempt} WHERE a.kind = ${verdictKinds.deferred};
CREATE VIEW hosts AS SELECT ${iso('h.hour * 3600000')} AS hour, h.host AS host, h.delivered AS delivered,
  h.deferred AS deferred, h.failed AS failed, h.ms AS ms, ${iso('h.last_at')} AS last_at,
  (SELECT coalesce(a.reply, s.text) FROM attempt a JOIN shape s ON s.id = a.shape WHERE a.pos = h.trouble) AS last_trouble
  FROM host h;
`;

/** 'WAYV' */
export const viewsApplicationId = 0x57415956;

/** Makes an empty database. A large page: rows of neighbours are read together. */
export const createViews = `
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
BEGIN IMMEDIATE;
${tables}
${views}
PRAGMA application_id = ${viewsApplicationId};
COMMIT;
`;
