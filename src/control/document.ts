/** Writes docs/CONTROL.md out of the table of control files. A test fails when the file is older than the table. */
import { obeyedAtOnce } from './config-reload.ts';
import { controlNames, settings, tcpRulesFile } from './settings.ts';
import type { ControlName, Reader, Setting } from './settings.ts';

const grammars: { readonly [R in Reader]: string } = {
  line: 'the first line, without trailing blanks; `#` is data. An empty file is an empty value.',
  amount: 'the digits that the first line begins with; without any the file counts as missing.',
  list: 'one entry per line, without trailing blanks; empty lines and lines that begin with `#` do not count.',
  pairs: 'a list of `key:value`, split at the first colon; of equal keys the last line wins.',
  text: 'the whole file.',
};

const head = `# Control files

Generated from \`src/control/settings.ts\`; to change this page, change that table.

The files lie in \`control/\` of the configuration directory, and have qmail's names, syntax and meaning.
Upper and lower case of A to Z do not matter in keys and domains; leading blanks count. SIGHUP reads all files again, and
all are obeyed from then on. \`start\` alone reads them and hands them to the other roles, all or
none: they need no right to read them, while programs that people call (\`inject\`) do. What qmail ignores in silence is ignored here, too, but
\`waybill check\` tells of it.

## Readers
`;

const tail = `
## Access rules

\`${tcpRulesFile}\` says which clients may connect, and with which variables (\`RELAYCLIENT\`, \`DATABYTES\`), in the text
form of tcprules; no cdb is needed. IPv6 addresses may be written bare (\`::1:allow\`) or in brackets
(\`[::1]:allow\`); \`2001:db8:\` stands for every address that begins so. Without the file everybody may connect and
nobody may relay. A line that means nothing is a mistake.

## What differs from qmail

- A missing \`rcpthosts\` accepts what is delivered here, and never relays (\`decisions/0003-missing-rcpthosts.md\`).
- All files are read again together, not only \`locals\` and \`virtualdomains\`, so that one digest names the rules in force. Fewer
  slots (\`concurrencylocal\`, \`concurrencyremote\`) end nothing that is under way.
- \`morercpthosts\` is read as text where there is no \`morercpthosts.cdb\`. The database is no part of the digest.
- \`smtproutes\` takes IPv6 addresses, bare or (with a port) in brackets.
- A port of \`smtproutes\` above 65535 never connects.
`;

const settingsHead = `
## waybill.toml

SIGHUP reads it again, too. Obeyed at once, by connections and attempts that come after (limits by all):
`;

const settingsTail = `
A certificate is shown at once also where only its file is new; a door that had none begins with TLS at the next start.
All other keys take a restart, as environment variables do. The engine's own log names what was changed and what of it
waits; with a mistake in the file nothing changes. A role that dies comes back with what is in force, not with the file.
`;

/** One row of the table: pipes would end a cell. */
function formatRow(name: ControlName): string {
  const row: Setting<unknown> = settings[name];
  const cells = [
    `\`${name}\``,
    row.unit === undefined ? row.reader : `${row.reader} (${row.unit})`,
    row.fallback,
    row.readBy.join(', '),
    row.says,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The whole page. */
export function formatControlDocument(): string {
  const readers = Object.entries(grammars).map(([reader, says]) => `- **${reader}**: ${says}`);
  const table = [
    '| file | reader | when missing | read by | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...controlNames.map(formatRow),
  ];
  const obeyed = Object.entries(obeyedAtOnce).map(
    ([section, keys]) => `- **[${section}]**: ${keys.map((key) => `\`${key}\``).join(', ')}`,
  );
  const files = ['## Files', '', ...table, settingsHead, ...obeyed, settingsTail.trimEnd(), tail];
  return [head, ...readers, '', ...files].join('\n');
}
