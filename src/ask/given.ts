/** Option texts to values, as a question declares them. Pure. */
import type { Instant } from '../platform/clock.ts';
import type { Declared, Given, Option } from './ports.ts';

/** Wrong options: for ever, and its message is for whoever typed them. */
export class OptionMistake extends Error {
  override readonly name = 'OptionMistake';
}

/** Throws `OptionMistake`. A flag is given by any text but `false`. */
export function toGiven(
  { options = {} }: Declared,
  texts: { readonly [name: string]: string | undefined },
  since?: Instant,
): Given {
  const given: Record<string, string | number | boolean> = {};
  for (const name of Object.keys(texts)) {
    if (!Object.hasOwn(options, name)) throw new OptionMistake(`there is no option ${name}`);
  }
  for (const [name, option] of Object.entries(options)) {
    const text = texts[name] ?? option.default;
    if (text !== undefined) given[name] = valueOf(name, option, text);
    else if (option.required === true)
      throw new OptionMistake(`${name} is needed: ${option.about}`);
  }
  return since === undefined ? given : { ...given, since };
}

function valueOf(name: string, { kind }: Option, text: string): string | number | boolean {
  switch (kind) {
    case 'text':
      return text;
    case 'flag':
      return text !== 'false';
    case 'number':
      if (/^\d{1,12}$/.test(text)) return Number(text);
      throw new OptionMistake(`${name} must be a whole number`);
    case 'span':
      return spanOf(name, text);
    default:
      if (kind.includes(text)) return text;
      throw new OptionMistake(`${name} must be one of ${kind.join(', ')}`);
  }
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `5min`, `1h`, `2d12h`. */
function spanOf(name: string, text: string): number {
  if (!/^(\d{1,6}(s|min|h|d|w))+$/.test(text)) {
    throw new OptionMistake(`${name} must be a span of time such as 5min, 1h or 2d`);
  }
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([a-z]+)/g))
    ms += Number(amount) * unitMs[unit!]!;
  if (ms > 0) return ms;
  throw new OptionMistake(`${name} must be longer than nothing`);
}
