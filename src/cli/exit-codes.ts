/** qmail's: 0 done, 100 it will never work, 111 it may work later. */
export const exitNever = 100;
export const exitTryLater = 111;
