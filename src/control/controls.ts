/**
 * From the texts of the control files to their values: pure, so that a replay can read the files of
 * the day out of the log (`ControlsLoaded`).
 */
import { controlNames, settings, tcpRulesFile } from './settings.ts';
import type { ControlName, Controls, Setting } from './settings.ts';
import { adviseOnControls } from './advice.ts';
import type { Parsed } from './readers.ts';
import { parseTcpRules } from './tcp-rules.ts';
import type { TcpRules } from './tcp-rules.ts';

/** What an operator should know though nothing stops for it. `line` counts from 1; absent for a whole file. */
export type Warning = {
  readonly file: string;
  readonly line: number | undefined;
  readonly message: string;
};

export type ParsedControls = {
  readonly controls: Controls;
  readonly tcpRules: TcpRules;
  readonly warnings: readonly Warning[];
};

/** Texts of the files that exist, by name; a name that is missing is a file that is missing. */
export type ControlTexts = { readonly [name: string]: string };

/**
 * Reads every control out of the texts. `where` is the directory to name in warnings and mistakes.
 * Errors: `ControlMistake` when a value is needed that neither its own file nor `me` gives, or when
 * tcp.smtp has a line that means nothing.
 */
export function parseControls(texts: ControlTexts, where = 'control'): ParsedControls {
  const warnings: Warning[] = [];
  const read = <T>(
    name: string,
    parse: (text: string | undefined, file: string) => Parsed<T>,
  ): T => {
    const file = `${where}/${name}`;
    const { value, notes } = parse(texts[name], file);
    for (const { line, message } of [...notes].sort((a, b) => a.line - b.line)) {
      warnings.push({ file, line, message });
    }
    return value;
  };

  const me = read('me', (text) => settings.me.value(text, { me: undefined, file: 'me' }));
  const rest = controlNames.filter((name) => name !== 'me');
  const values = rest.map((name) => [name, read(name, valueOf(name, me))] as const);
  const controls = { me, ...Object.fromEntries(values) } as Controls;

  const tcpRules = read(tcpRulesFile, (text, file) => parseTcpRules(text ?? '', file));
  for (const { file, message } of adviseOnControls(controls)) {
    warnings.push({ file: `${where}/${file}`, line: undefined, message });
  }
  return { controls, tcpRules, warnings };
}

function valueOf(name: ControlName, me: string | undefined) {
  // The row knows its type, but a loop over rows does not.
  const setting: Setting<unknown> = settings[name];
  return (text: string | undefined, file: string) => setting.value(text, { me, file });
}
