/**
 * Whose rights a delivery uses. An ordinary user's engine has only its own. One that runs as root takes
 * the owner's for each access to files (effective user and group, no other groups) and gives them
 * back; the rights are the whole process's, so only one owner's deliveries touch files at a time.
 *
 * libuv must not use io_uring (Node's default), whose threads would keep root's rights.
 */

export type Who = { readonly uid: number; readonly gid: number };

export interface Identity {
  /** Whether `as` really becomes somebody else, and programs must be told whom to run as. */
  readonly switches: boolean;
  /** Whom a delivery runs as. May be root: the caller refuses that. */
  whoFor(owner: { readonly uid?: number; readonly gid?: number }): Who;
  /** Runs with somebody's rights. Never call it from within itself, and never wait in it for a stranger. */
  as<T>(who: Who | 'engine', run: () => T | Promise<T>): Promise<T>;
}

/** The engine's own rights and no others; what `users/assign` says about uid and gid is not obeyed. */
export const ownIdentity = (own: Who): Identity => ({
  switches: false,
  whoFor: () => own,
  as: async (_who, run) => run(),
});

/** What the process can do about who it is. */
export type Rights = { become(who: Who): void; beRoot(): void };

/** This process's, which must be root when this is called. */
export function processRights(): Rights {
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

/** Root's: takes turns. `fallback` is whom owners without uid get. */
export function rootIdentity(fallback: Who, rights: Rights = processRights()): Identity {
  const gate = new Gate(rights);
  return {
    switches: true,
    whoFor: ({ uid, gid }) => (uid === undefined || gid === undefined ? fallback : { uid, gid }),
    async as(who, run) {
      await gate.enter(who);
      try {
        return await run();
      } finally {
        gate.leave();
      }
    },
  };
}

type Turn = { readonly who: Who | 'engine'; readonly begin: () => void };

const same = (a: Who | 'engine', b: Who | 'engine'): boolean =>
  a === b || (a !== 'engine' && b !== 'engine' && a.uid === b.uid && a.gid === b.gid);

/** Lets in all who want the same rights, first come, first served. */
class Gate {
  #rights: Rights;
  #current: Who | 'engine' = 'engine';
  #inside = 0;
  #queue: Turn[] = [];

  constructor(rights: Rights) {
    this.#rights = rights;
  }

  /** Rejects when the system does not let us become this one; nobody is inside then. */
  enter(who: Who | 'engine'): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        try {
          this.#become(who);
          this.#inside += 1;
          resolve();
        } catch (cause) {
          reject(cause as Error);
        }
      };
      this.#queue.push({ who, begin });
      this.#letIn();
    });
  }

  leave(): void {
    this.#inside -= 1;
    this.#letIn();
    if (this.#inside === 0) this.#become('engine');
  }

  #letIn(): void {
    for (;;) {
      const next = this.#queue[0];
      // Whoever wants other rights waits until all are out, and those behind it wait, too: no starving.
      if (next === undefined || (this.#inside > 0 && !same(next.who, this.#current))) return;
      this.#queue.shift();
      next.begin();
    }
  }

  #become(who: Who | 'engine'): void {
    if (same(who, this.#current)) return;
    if (this.#current !== 'engine') this.#rights.beRoot();
    this.#current = 'engine';
    if (who === 'engine') return;
    try {
      this.#rights.become(who);
    } catch (cause) {
      this.#rights.beRoot();
      throw cause;
    }
    this.#current = who;
  }
}
