/** What the lines of a dot-qmail file came to, one by one: part of a local verdict. */

export type LineDone = {
  /** Which line of the file, from 1. */
  readonly line: number;
  readonly kind: 'maildir' | 'mbox' | 'program' | 'forward';
  /** Name, command or address as the line has it; cut to 200 characters. */
  readonly what: string;
  /**
   * The letter's file (`new/…`), where it begins in an mbox (`at 1234`), how a program ended (`exit 99`,
   * `SIGKILL`, `time limit`), or why it did not work. Absent for forwards, which go only if all lines work.
   */
  readonly came?: string;
};

export type LinesDone = {
  /** The file's name in the home, or `default delivery`. */
  readonly from: string;
  /** What said whose mail it is: `users/assign:3 +joe-`, `users/cdb`, `account joe`, `alias`. */
  readonly by?: string;
  readonly done: readonly LineDone[];
  /** How many more there were than are listed. */
  readonly more?: number;
};

/** What one event may list; a list of thousands of addresses is in the letter that it makes. */
const maxListed = 50;
const maxWhat = 200;

/** Takes them down as they happen. */
export class LineRecord {
  readonly #from: Pick<LinesDone, 'from' | 'by'>;
  readonly #done: LineDone[] = [];
  #more = 0;

  constructor(from: string, by?: string) {
    this.#from = by === undefined ? { from } : { from, by: cut(by) };
  }

  add({ what, came, ...rest }: LineDone): void {
    if (this.#done.length >= maxListed) {
      this.#more += 1;
      return;
    }
    const short = { ...rest, what: cut(what.toWellFormed()) };
    this.#done.push(came === undefined ? short : { ...short, came: cut(came) });
  }

  all(): LinesDone {
    const all = { ...this.#from, done: [...this.#done] };
    return this.#more === 0 ? all : { ...all, more: this.#more };
  }
}

const cut = (text: string): string =>
  text.length <= maxWhat ? text : `${text.slice(0, maxWhat - 3)}...`;
