/** Random bytes for names, drawn from the kernel by the page: one call serves some hundreds of letters. */
import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/** `count` bytes (at most a page), each handed out once. The view is good until the next turn of the loop. */
export function randomFromPool(count: number): Uint8Array {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
