/** A source text that cannot be compiled; the table that was there stays. */
export class TableMistake extends Error {
  /** Whether the text is at fault in a way that no retry helps; the programs exit with 100 then, else with 111. */
  readonly never: boolean;

  constructor(message: string, never = false) {
    super(message);
    this.name = 'TableMistake';
    this.never = never;
  }
}
