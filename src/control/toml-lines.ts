/** Finds the line where a TOML text sets a key, since the parser does not tell. */
import { readFileSync } from 'node:fs';

/**
 * The line, from 1, of `path` (`['door', 'processes']`), or of its section where the key is not there;
 * `undefined` when neither is. Keys may stand under `[section]`, as `section.key = …`, or inside
 * `section = { … }`.
 */
export function findTomlLine(text: string, path: readonly string[]): number | undefined {
  const wanted = path.join('.');
  let section = '';
  let best: { line: number; length: number } | undefined;
  text.split('\n').forEach((content, index) => {
    const header = /^\s*\[+\s*([^\]#]+?)\s*\]+/.exec(content)?.[1];
    if (header !== undefined) section = `${unquote(header)}.`;
    const key = /^\s*([A-Za-z0-9_."' -]+?)\s*=/.exec(content)?.[1];
    const name = header === undefined ? key && section + unquote(key) : unquote(header);
    if (name === undefined) return;
    const fits = name === wanted || wanted.startsWith(`${name}.`);
    if (fits && name.length > (best?.length ?? 0)) best = { line: index + 1, length: name.length };
  });
  return best?.line;
}

const unquote = (key: string): string => key.replace(/["'\s]/g, '');

/** The same in a file; absent where an environment variable says it. */
export function lineOfSetting(file: string, path: readonly string[]): number | undefined {
  try {
    return findTomlLine(readFileSync(file, 'utf8'), path);
  } catch {
    return undefined;
  }
}
