/** What is not judged, or not for sure, said where it matters: sentences for the end of an answer. */
import { rulesBefore } from '../trace/rules-of-the-day.ts';
import { safe } from '../trace/words.ts';
import type { WhatIf } from './what-if.ts';

export function notesOn({ history, rules, homes }: WhatIf): readonly string[] {
  const newest = rulesBefore(history, Infinity)?.files ?? {};
  const differ = (name: string): boolean => newest[name] !== rules.files[name];
  const named = (names: readonly string[]): string => safe(names.filter(differ).join(', '));
  const limits = named(['concurrencylocal', 'concurrencyremote', 'concurrencyincoming']);
  const times = named([
    'timeoutconnect',
    'timeoutremote',
    'timeoutsmtpd',
    'outgoingip',
    'helohost',
  ]);
  return [
    'How deliveries ended is taken from the record: another host might have answered otherwise.',
    ...(limits === '' ? [] : [`${limits}: who waits for whom is not judged.`]),
    ...(times === '' ? [] : [`${times}: how connections go is not judged.`]),
    ...(differ('defaultdelivery')
      ? ['defaultdelivery: what becomes of a letter in a home without a .qmail is not judged.']
      : []),
    ...(differ('localiphost')
      ? ['localiphost: addresses were recorded after our own IP address had been replaced in them.']
      : []),
    ...(homes === undefined
      ? [
          'Local users and .qmail files are not compared: the log does not hold them (see --before).',
        ]
      : [
          'users/assign and .qmail files are compared as they are now: the log does not hold them as they were.',
        ]),
  ];
}
