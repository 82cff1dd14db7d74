/**
 * Whose rights a delivery uses. An ordinary user's engine has only its own. One that runs as root takes
 * the owner's (effective user and group, no other groups) for single calls to the file system and gives
 * them back before anything else can run. Forcing to disk needs no rights, so it is done without.
 *
 * The rights are the whole process's: its other threads have them, too, for that moment. So in a role
 * that delivers as root no asynchronous call may open files, and libuv must not use io_uring (Node's
 * default), whose threads would keep root's.
 */

export type Who = { readonly uid: number; readonly gid: number };

export interface Identity {
  /** Whether `as` really becomes somebody else, and programs must be told whom to run as. */
  readonly switches: boolean;
  /**
   * Root's rights serve owners without a uid, for want of another user: mailboxes in managed homes and
   * forwards only. Programs never run as root, and no file outside such a home is written.
   */
  readonly lendsRoot?: boolean;
  /** Whom a delivery runs as. May be root: the caller refuses that. */
  whoFor(owner: { readonly uid?: number; readonly gid?: number }): Who;
  /** Runs something synchronous with somebody's rights. */
  as<T>(who: Who, run: () => T): T;
}

/** The engine's own rights and no others; what `users/assign` says about uid and gid is not obeyed. */
export const ownIdentity = (own: Who): Identity => ({
  switches: false,
  whoFor: () => own,
  as: (_who, run) => run(),
});

/** What the process can do about who it is. */
export type Rights = {
  /** Throws when the system refuses; some of the rights may be taken by then. */
  become(who: Who): void;
  beRoot(): void;
};

/** Root's. `fallback` is whom owners without uid get. */
export const rootIdentity = (fallback: Who, rights: Rights = processRights()): Identity => ({
  switches: true,
  lendsRoot: fallback.uid === 0,
  whoFor: ({ uid, gid }) => (uid === undefined || gid === undefined ? fallback : { uid, gid }),
  as(who, run) {
    // Changing rights signals every thread of the process: not for nothing.
    if (who.uid === 0) return run();
    try {
      rights.become(who);
      return run();
    } finally {
      // Should this fail, it throws: nothing may go on with rights that nobody knows.
      rights.beRoot();
    }
  },
});

/** This process's, which must be root when this is called. */
function processRights(): Rights {
  const gid = process.getegid?.() ?? 0;
  const groups = process.getgroups?.() ?? [gid];
  return {
    become(who) {
      // Groups first: afterwards we may not any more.
      process.setgroups?.([who.gid]);
      process.setegid?.(who.gid);
      process.seteuid?.(who.uid);
    },
    beRoot() {
      process.seteuid?.(0);
      process.setegid?.(gid);
      process.setgroups?.(groups);
    },
  };
}
