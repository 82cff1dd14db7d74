/** The questions that come along. Each is loaded when it is asked. */
import type { Question } from './ports.ts';

type Module = { readonly question: Question };

export const shipped: { readonly [name: string]: () => Promise<Module> } = {
  agenda: () => import('../../projections/agenda-lanes.ts'),
  'queue-contents': () => import('../../projections/queue-contents.ts'),
  'message-story': () => import('../../projections/message-story.ts'),
  'host-health': () => import('../../projections/host-health.ts'),
  traffic: () => import('../../projections/traffic.ts'),
  'deferral-reasons': () => import('../../projections/deferral-reasons.ts'),
  'qmail-log': () => import('../../projections/qmail-log.ts'),
  matchup: () => import('../../projections/matchup.ts'),
  zoverall: () => import('../../projections/zoverall.ts'),
  zsenders: () => import('../../projections/zsenders.ts'),
  zsuids: () => import('../../projections/zsuids.ts'),
  zrecipients: () => import('../../projections/zrecipients.ts'),
  zrhosts: () => import('../../projections/zrhosts.ts'),
  zrxdelay: () => import('../../projections/zrxdelay.ts'),
  zsuccesses: () => import('../../projections/zsuccesses.ts'),
  zfailures: () => import('../../projections/zfailures.ts'),
  zdeferrals: () => import('../../projections/zdeferrals.ts'),
  zddist: () => import('../../projections/zddist.ts'),
  zsendmail: () => import('../../projections/zsendmail.ts'),
};

export const shippedNames: readonly string[] = Object.keys(shipped);
