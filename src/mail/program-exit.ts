/**
 * What a program's exit code says about the letter it was given (qmail-command(8)); the same for the
 * programs of a .qmail file, of a .forward and of an alias.
 */

/** No retry can help: 100, and those of sysexits.h that qmail takes so. All other failures may be gone later. */
export const permanentExits: ReadonlySet<number> = new Set([100, 64, 65, 70, 76, 77, 78, 112]);
