/** The fuse box: every part that a module makes and another asks for, by name. */
import type { ServiceIdentifier } from 'inversify';
import type { Observable, Subject } from 'rxjs';
import type { Config } from '../control/config.ts';
import type { ControlsInForce } from '../control/in-force.ts';
import type { NodeLog } from '../control/node-log.ts';
import type { DropBox as DropBoxPort } from '../ingress/drop/box.ts';
import type { Refusals } from '../ingress/ports.ts';
import type { LogHealth } from '../log/health.ts';
import type { EventLog as EventLogPort, SharedLog as SharedLogPort } from '../log/ports.ts';
import type { Cleared } from '../log/sqlite/suspect.ts';
import type { Trouble } from '../mail/trouble.ts';
import type { Nodes as NodesPort } from '../nodes/ports.ts';
import type { Clock as ClockPort } from '../platform/clock.ts';
import type { Logger as LoggerPort } from '../platform/logger.ts';
import type { AgendaKeeper } from '../queue/agenda-keeper.ts';
import type { Bodies as BodiesPort } from '../queue/bodies.ts';
import type { QueueIntake } from '../queue/intake.ts';
import type { RulesInForce } from '../queue/intake.ts';
import type { Letters as LettersPort } from '../queue/letters.ts';
import type { Operator as OperatorPort } from '../queue/operator.ts';
import type { Recorder as RecorderPort } from '../queue/recorder.ts';
import type { Scheduler as SchedulerClass } from '../queue/scheduler.ts';
import type { Spool as SpoolPort } from '../spool/ports.ts';
import type { LinkHub } from './links/hub.ts';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`waybill.${name}`);

export const ConfigToken = token<Config>('Config');
export const Controls = token<ControlsInForce>('Controls');
export const Rules = token<() => RulesInForce>('Rules');
export const Clock = token<ClockPort>('Clock');
export const Logger = token<LoggerPort>('Logger');
export const EventLog = token<EventLogPort>('EventLog');
/** The same, where others write to it, too. */
export const SharedLog = token<SharedLogPort>('SharedLog');
/** As letters are written to it. */
export const LettersLog = token<Pick<EventLogPort, 'append' | 'readStream'>>('LettersLog');
/** What appends failed for, as the engine of the log tells it. */
export const LogTroubles = token<Subject<Trouble>>('LogTroubles');
export const Health = token<LogHealth>('Health');
/** What the start looked over because a sync had failed before. */
export const ClearedLog = token<() => Cleared | undefined>('ClearedLog');
/** Why no letter can be taken now for want of room. */
export const Room = token<() => Trouble | undefined>('Room');
/** Whether there is room for more than a word: asked before a full log counts as well again. */
export const HasRoom = token<() => boolean>('HasRoom');
export const Spool = token<SpoolPort>('Spool');
/** Throws away bodies and files that no letter needs; run once after a start. */
export const Sweep = token<(isNeeded: (id: string) => boolean) => Promise<number>>('Sweep');
export const Node = token<NodeLog>('Node');
/** Those that share the log, if any do. */
export const Nodes = token<NodesPort>('Nodes');
/** Why no letter from outside can be taken now. */
export const Refusal = token<() => Trouble | undefined>('Refusal');
export const RefusalLog = token<Refusals & { close(): void }>('RefusalLog');
export const Hub = token<LinkHub>('Hub');
export const Bodies = token<BodiesPort>('Bodies');
/** Empty until opened. */
export const DropBox = token<DropBoxPort>('DropBox');
export const Letters = token<LettersPort>('Letters');
export const Intake = token<QueueIntake>('Intake');
export const Keeper = token<AgendaKeeper>('Keeper');
export const Scheduler = token<SchedulerClass>('Scheduler');
export const Recorder = token<RecorderPort>('Recorder');
export const Operator = token<OperatorPort>('Operator');
/** qmail-send's heart and the bounce writer, not running until subscribed. */
export const Dispatch = token<Observable<unknown>>('Dispatch');
/** What other nodes had begun and nobody knows the end of. */
export const Doubts = token<Observable<unknown>>('Doubts');
export const Bounces = token<Observable<unknown>>('Bounces');
