import { userInfo } from 'node:os';

/** Who gives a command, as the system knows it; a number where it knows no name. */
export function callersName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
