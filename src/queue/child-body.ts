/** The body of a letter that we make ourselves: some lines of ours, then the bytes of another letter. */
import { inlineBodyBytes, type Spool, type StagedBody } from '../spool/ports.ts';
import type { BodySource } from './ports.ts';

/** Stages `prefix` + the whole of `rest` under `id`; a large one is never in memory at once. */
export async function joinBodies(
  spool: Spool,
  id: string,
  prefix: string,
  rest: BodySource,
): Promise<StagedBody> {
  const head = Buffer.from(prefix, 'utf8');
  if (rest.inline !== undefined && head.byteLength + rest.inline.byteLength <= inlineBodyBytes) {
    return spool.stage(id, Buffer.concat([head, rest.inline]));
  }
  const writer = await spool.open(id);
  try {
    await writer.write(head);
    for await (const piece of rest.read()) await writer.write(piece);
  } catch (cause) {
    await writer.abandon();
    throw cause;
  }
  return writer.stage();
}
