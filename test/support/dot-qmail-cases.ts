/** Dash and extension of an address, and the files that may say what becomes of its mail, the first that is there counts (dot-qmail(5)). */
export const dotQmailCases: readonly (readonly [
  dash: string,
  ext: string,
  files: readonly string[],
])[] = [
  ['', '', ['.qmail', '.qmaildefault']],
  ['-', '', ['.qmail-', '.qmail-default']],
  ['-', 'a', ['.qmail-a', '.qmail-default']],
  ['-', 'a-', ['.qmail-a-', '.qmail-a-default', '.qmail-default']],
  ['-', 'a-b-c', ['.qmail-a-b-c', '.qmail-a-b-default', '.qmail-a-default', '.qmail-default']],
  ['-', 'A.B-C', ['.qmail-a:b-c', '.qmail-a:b-default', '.qmail-default']],
];
