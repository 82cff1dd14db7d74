/**
 * Every odd thing that a far side can say, at every place where it has something to say. What we do not
 * understand is never a refusal, and never a delivery; only after the final dot can a letter be in doubt.
 */
import { describe, expect, it } from '@jest/globals';
import { smtpScript } from '../support/smtp-script.ts';
import { station } from '../delivery/remote/station.ts';

const places = ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'final dot'] as const;
type Place = (typeof places)[number];
type Verdict = 'delivered' | 'deferred' | 'failed';

const hello = 'S: 220 mx\nC: EHLO me.test\n';
const mail = `${hello}S: 250 mx\nC: MAIL FROM:<ann@a.test>\n`;
const rcpt = `${mail}S: 250 ok\nC: RCPT TO:<joe@b.test>\n`;
const data = `${rcpt}S: 250 ok\nC: DATA\n`;
/** How a conversation comes to the place. */
const upTo: { readonly [P in Place]: string } = {
  ...{ greeting: '', EHLO: hello, MAIL: mail, RCPT: rcpt, DATA: data },
  'final dot': `${data}S: 354 go\nbody\n`,
};

/** Far sides with whom nobody can go on. */
const gone: { readonly [name: string]: string } = {
  'a reset': 'drop',
  'an end in the middle of a reply': 'S: 250-half\ndrop',
  'a reply without an end': `${`S: 250-${'x'.repeat(996)}\n`.repeat(70)}stall`,
};
/** Far sides that say it, and hear us out. */
const odd: { readonly [name: string]: string } = {
  '421 in the middle of it': 'S: 421 4.3.2 closing\nhang up',
  'words without a number': 'S: what do you want\nhang up',
  'a number without a blank': 'S: 2500 ok\nhang up',
  'no number that there is': 'S: 999 what\nhang up',
  'a number that means to go on': 'S: 199 go on\nhang up',
  'bytes that are no text': 'S: \x00\x01\xff\x1b[2J\nhang up',
};
const refusals: { readonly [name: string]: string } = {
  '5xx over several lines': 'S: 550-5.7.1 no\nS: 550 5.7.1 never\nhang up',
  '5xx and a reset': 'S: 554 5.7.1 never\ndrop',
};

async function ask(place: Place, said: string, ...later: readonly string[]) {
  const far = await smtpScript(upTo[place] + said, ...later);
  const here = station({ '192.0.2.1': far });
  try {
    const [outcome] = await here.deliver();
    expect(far.mistakes).toEqual([]);
    return { kind: outcome!.kind, doubt: outcome!.doubt === true };
  } finally {
    here.channel.close();
    await far.close();
  }
}

/** What becomes of the letter, by what was said. */
async function askAll(place: Place, said: { readonly [name: string]: string }) {
  const all: { [name: string]: object } = {};
  for (const [name, script] of Object.entries(said)) all[name] = await ask(place, script);
  return all;
}

const alike = (said: object, wanted: { kind: Verdict; doubt: boolean }) =>
  Object.fromEntries(Object.keys(said).map((name) => [name, wanted]));

describe.each(places)('a far side, at its %s,', (place) => {
  it('that goes, or never comes to an end, puts the letter off', async () => {
    const wanted = { kind: 'deferred', doubt: place === 'final dot' } as const;
    expect(await askAll(place, gone)).toEqual(alike(gone, wanted));
  });

  it('that cannot be understood puts the letter off, and there is no doubt about it', async () => {
    const wanted = { kind: 'deferred', doubt: false } as const;
    expect(await askAll(place, odd)).toEqual(alike(odd, wanted));
  });

  it('that refuses fails the letter, where it has heard of the letter', async () => {
    const kind = place === 'greeting' || place === 'EHLO' ? 'deferred' : 'failed';
    expect(await askAll(place, refusals)).toEqual(alike(refusals, { kind, doubt: false }));
  });
});

describe('a far side', () => {
  it('that says 250 to the final dot and resets has the letter', async () => {
    expect(await ask('final dot', 'S: 250 ok\ndrop')).toEqual({ kind: 'delivered', doubt: false });
  });

  it('whose replies are answered by somebody in between, before TLS, is not believed inside it', async () => {
    // Whether the false reply spoils the handshake, or comes too early for that and is dropped, is chance.
    const starting =
      'S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: 250-evil\nS: 250 AUTH\ntls\nC? EHLO me.test\ndrop';
    const inClear = `${hello}S: 250 mx\nC: MAIL FROM:<ann@a.test>\nS: 250 ok\nC: RCPT TO:<joe@b.test>\nS: 250 ok\nC: DATA\nS: 354 go\nbody\nS: 250 k`;
    expect(await ask('EHLO', starting, inClear)).toEqual({ kind: 'delivered', doubt: false });
  });
});
