/** A letter through qmail-inject's mind, with the hosts and the user of the spec's examples. */
import { headerReader } from '../../../src/ingress/inject/header-reader.ts';
import {
  composer,
  isRefusal,
  type Composed,
  type InjectRequest,
} from '../../../src/ingress/inject/letter.ts';
import { injectSettings, type Environment } from '../../../src/ingress/inject/settings.ts';

/** 20 Nov 2026 23:44:04 UTC. */
export const at = Date.UTC(2026, 10, 20, 23, 44, 4);
export const pid = 1641;

export const hosts = {
  defaulthost: 'dh',
  defaultdomain: 'dd.example',
  plusdomain: 'plus.example',
  idhost: 'id.example',
};

export type Case = Partial<Pick<InjectRequest, 'from' | 'args' | 'sender' | 'lists'>> & {
  readonly env?: Environment;
  readonly controls?: typeof hosts;
};

export type Injected = Composed & { readonly body: string };

/** The finished letter, or the words of the refusal. */
export function inject(letter: string, given: Case = {}): Injected | string {
  const { env = { USER: 'joe' }, controls = hosts, args = [], sender, lists } = given;
  const work = composer({
    settings: injectSettings(env, controls),
    from: given.from ?? (args.length > 0 ? 'arguments' : 'header'),
    ...{ args, sender, lists, at, pid },
  });
  if ('refusal' in work) return work.refusal;
  const reader = headerReader();
  const header = reader.push(letter) ?? reader.end();
  const composed = work.compose(header.fields);
  return isRefusal(composed) ? composed.refusal : { ...composed, body: header.rest };
}

export function injected(letter: string, given?: Case): Injected {
  const outcome = inject(letter, given);
  if (typeof outcome === 'string') throw new Error(outcome);
  return outcome;
}

/** The fields of that name, whole. */
export const fieldsOf = (header: string, name: string): string =>
  header
    .split(/\n(?![ \t])/)
    .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((field) => `${field}\n`)
    .join('');
