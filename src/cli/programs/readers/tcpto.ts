/**
 * qmail-tcpto and qmail-tcpok: the addresses that did not answer lately, and a clean slate. The table is
 * the running engine's; without an engine there is none.
 */
import { linkedTcpto } from '../../../composition/links/tcpto-link.ts';
import { formatTcpto, type TcpTimeouts } from '../../../delivery/remote/tcpto.ts';
import { systemClock, type Clock } from '../../../platform/clock.ts';
import { exitTryLater } from '../../exit-codes.ts';
import { withControlLink } from '../lib/control-link.ts';
import { placesOf } from '../lib/places.ts';
import type { Print } from '../lib/print.ts';
import { tryLater, type Environment, type Program } from '../lib/program.ts';
import { wordsOf } from './words-of.ts';

export type TcptoTable = { read(): Promise<TcpTimeouts>; clear(): Promise<void> };

/** Opens the table for one question. */
export type WithTcpto = <T>(env: Environment, use: (table: TcptoTable) => Promise<T>) => Promise<T>;

export const engineTcpto: WithTcpto = (env, use) =>
  withControlLink(placesOf(env).data, (link) => use(linkedTcpto(link, systemClock)));

const unable = (cause: unknown): string => `unable to open tcpto: ${wordsOf(cause)}`;

/** A line for each address; complaints go to stdout, as qmail's. */
export const qmailTcpto =
  ({ withTcpto, clock, print }: { withTcpto: WithTcpto; clock: Clock; print: Print }): Program =>
  async ({ env }) => {
    try {
      const table = await withTcpto(env, (tcpto) => tcpto.read());
      print(
        formatTcpto(table, clock.steady())
          .map((line) => `${line}\n`)
          .join(''),
      );
      return 0;
    } catch (cause) {
      print(`fatal: ${unable(cause)}\n`);
      return exitTryLater;
    }
  };

/** Says nothing when it is done. */
export const qmailTcpok =
  ({ withTcpto }: { withTcpto: WithTcpto }): Program =>
  async ({ env }) => {
    await withTcpto(env, (tcpto) => tcpto.clear()).catch((cause: unknown) => {
      throw tryLater(unable(cause));
    });
    return 0;
  };
