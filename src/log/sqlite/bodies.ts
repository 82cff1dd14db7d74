/** Bodies in the log's own file: found by the letter's stream, kept under the position of its first event. */
const bodyOfStream = 'bid = (SELECT pos FROM event WHERE stream = ? AND rev = 0)';

export const selectBody = `SELECT content FROM body WHERE ${bodyOfStream}`;
export const deleteBody = `DELETE FROM body WHERE ${bodyOfStream}`;
export const insertBody = 'INSERT INTO body (bid, content) VALUES (?, ?)';
