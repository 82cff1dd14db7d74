/** Whose mail it is: what qmail-lspawn hands to qmail-local. */
export type Owner = {
  readonly user: string;
  /** What says so, for the record: `users/assign:3 +joe-`. */
  readonly by?: string;
  /** Whom files and programs run as; absent: the user the engine runs as. */
  readonly uid?: number;
  readonly gid?: number;
  /** Absolute path. */
  readonly home: string;
  /** The home lies in our data directory: home and Maildirs in it are made when first needed. */
  readonly managed?: true;
  /** What stands between `.qmail` and the extension: `''` for the bare user, else usually `-`. */
  readonly dash: string;
  /** The extension, case kept. */
  readonly ext: string;
};
