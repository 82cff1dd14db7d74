/** How the protocol says no: gRPC statuses with the trailers that official clients turn into their errors. */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';

/** Thrown by whoever serves a call; the call ends with this status. */
export class Refusal extends Error implements Partial<StatusObject> {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;

  /** `trailers`: ASCII only. */
  constructor(code: status, details: string, trailers: { readonly [name: string]: string } = {}) {
    super(details);
    this.name = 'Refusal';
    this.code = code;
    this.details = details;
    this.metadata = new Metadata();
    for (const [name, value] of Object.entries(trailers)) this.metadata.set(name, value);
  }
}

export const invalidArgument = (what: string): Refusal =>
  new Refusal(status.INVALID_ARGUMENT, what);

/** In the server's own words, so that whoever looks for them finds them here, too. */
export const invalidPosition = (): Refusal =>
  invalidArgument('Trying to read from an invalid position.');

export const accessDenied = (): Refusal =>
  new Refusal(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

/** `waitMs`: before he may try again. */
export const notAuthenticated = (waitMs = 0): Refusal =>
  new Refusal(
    status.UNAUTHENTICATED,
    `Not Authenticated${waitMs === 0 ? '' : `: too many tries, wait ${Math.ceil(waitMs / 1000)} s`}`,
  );

export const streamDeleted = (stream: string): Refusal =>
  new Refusal(status.FAILED_PRECONDITION, `Event stream '${printable(stream)}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': printable(stream),
  });

/** Trailers and status texts are ASCII. */
export const printable = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (char) => encodeURIComponent(char.isWellFormed() ? char : '?'));
