/** Where the embedded log lies, below the data directory. */
export const logFile = 'log/waybill.db';
