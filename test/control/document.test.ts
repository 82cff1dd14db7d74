import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatControlDocument } from '../../src/control/document.ts';
import { controlNames } from '../../src/control/settings.ts';

const page = join(import.meta.dirname, '../../docs/CONTROL.md');

describe('docs/CONTROL.md', () => {
  it('says what the table of control files says', () => {
    expect(readFileSync(page, 'utf8')).toBe(formatControlDocument());
  });

  it('has every control file of qmail, and every row five cells', () => {
    // prettier-ignore
    const qmails = ['me', 'badmailfrom', 'bouncefrom', 'bouncehost', 'concurrencylocal', 'concurrencyremote',
      'databytes', 'defaultdomain', 'defaulthost', 'doublebouncehost', 'doublebounceto', 'envnoathost', 'helohost',
      'idhost', 'localiphost', 'locals', 'morercpthosts', 'percenthack', 'plusdomain', 'qmqpservers', 'queuelifetime',
      'rcpthosts', 'smtpgreeting', 'smtproutes', 'timeoutconnect', 'timeoutremote', 'timeoutsmtpd', 'virtualdomains'];
    expect(controlNames).toEqual(expect.arrayContaining(qmails));
    const rows = formatControlDocument()
      .split('\n')
      .filter((line) => line.startsWith('|'));
    expect(rows).toHaveLength(controlNames.length + 2);
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(7);
  });
});
