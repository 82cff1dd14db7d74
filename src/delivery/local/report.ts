/** What a delivery said, as qmail-lspawn passes it on: our lines and programs' output, in order, cut to size. */

/** The longest report, in bytes. */
export const maxReportBytes = 3_000;

const tooLong = '\nError report too long, sorry.\n';
/** Room that spawn.c keeps for the slot number and the letter in front. */
const keptFree = 3;

export class DeliveryReport {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** A program's output, as it is. */
  addOutput(bytes: Uint8Array): void {
    // One byte over the limit shows that there was more.
    const kept = bytes.subarray(0, maxReportBytes + 1 - this.#bytes);
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  addLine(text: string): void {
    this.addOutput(Buffer.from(`${text}\n`));
  }

  /** Untrusted where a program spoke. Bytes that are no UTF-8 show as U+FFFD; what follows a NUL is dropped. */
  text(): string {
    const all = Buffer.concat(this.#chunks);
    const room = maxReportBytes - tooLong.length - keptFree;
    const cut =
      all.length <= maxReportBytes
        ? all
        : Buffer.concat([all.subarray(0, room), Buffer.from(tooLong)]);
    const nul = cut.indexOf(0);
    return cut.toString('utf8', 0, nul < 0 ? cut.length : nul);
  }
}
