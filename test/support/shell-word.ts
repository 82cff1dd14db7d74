/** One word for a shell, whatever the path has in it. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
