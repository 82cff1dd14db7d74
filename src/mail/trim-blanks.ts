/** By hand: a regular expression would look at a run of blanks once for each of them. */
export function trimBlanksEnd(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ' || line[end - 1] === '\t') end -= 1;
  return line.slice(0, end);
}
