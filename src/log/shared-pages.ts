/**
 * One walk over the log for several who begin at the same place: a page that one of them has asked for is the
 * others', too, for a while. Where a page comes from afar, reading it costs more than what most do with it.
 */
import type { FollowedLog } from './consumer.ts';
import type { Position, ReadAll, RecordedEvent } from './ports.ts';

type Page = readonly RecordedEvent[];

/** Whoever is further behind than that reads for himself. */
const keptPages = 8;
/** Nobody walks any more: nothing is kept for him. */
const keptMs = 10_000;

/** Pages forwards are shared; whoever would hear less than there is, because he joined late, reads on his own. */
export function sharePages<L extends Pick<FollowedLog, 'readAll'>>(log: L): L {
  const pages = new Map<string, Promise<Page>>();
  let timer: NodeJS.Timeout | undefined;
  const keepFor = (key: string, page: Promise<Page>): void => {
    pages.set(key, page);
    const [oldest] = pages.keys();
    if (pages.size > keptPages) pages.delete(oldest!);
    clearTimeout(timer);
    timer = setTimeout(() => pages.clear(), keptMs);
    timer.unref();
  };
  const readAll = async (asked: ReadAll): Promise<Page> => {
    const { after, direction = 'forwards', limit } = asked;
    if (after === undefined || direction === 'backwards') return log.readAll(asked);
    const key = keyOf(after, limit);
    const known = pages.get(key);
    if (known !== undefined) {
      const page = await known.catch(() => undefined);
      // A page that reaches the end was true when it was asked for: there may be more by now.
      if (page?.length === limit) return page;
    }
    const page = log.readAll(asked);
    keepFor(key, page);
    const isWhole = (await page.catch(() => undefined))?.length === limit;
    if (!isWhole && pages.get(key) === page) pages.delete(key);
    return page;
  };
  return { ...log, readAll };
}

const keyOf = (after: Position, limit: number): string => `${after} ${limit}`;
