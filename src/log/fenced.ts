/** What an append hears that depends on the absence of a fence which stands: the same from every engine. */
import { Trouble } from '../mail/trouble.ts';
import type { StreamName } from './ports.ts';

export const fenced = (fence: StreamName, cause?: unknown): Trouble =>
  new Trouble('fenced', {
    tryAgain: true,
    peer: 'temporary failure (#4.3.2)',
    detail: `${fence} stands: another node has our lease`,
    cause,
  });
