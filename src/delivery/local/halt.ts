/** Why a delivery ends here: qmail-local's exit code 111 or 100, and the line it prints. */
export type Halt = { readonly kind: 'deferred' | 'failed'; readonly text: string };

export const defer = (text: string): Halt => ({ kind: 'deferred', text });
export const fail = (text: string): Halt => ({ kind: 'failed', text });
