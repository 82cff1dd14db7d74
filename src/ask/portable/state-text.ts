/** A state as the event store writes it down: what its JSON cannot carry comes back as something else, here too. */

const deepest = 64;

/** `undefined`: there is nothing to write. Throws for what is nested deeper than 64 levels. */
export function toStateText(value: unknown, depth = 0): string | undefined {
  if (depth > deepest) throw new Error('its state is nested more than 64 levels deep');
  switch (typeof value) {
    case 'undefined':
    case 'symbol':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'bigint':
      return `"${value}"`;
    case 'function':
      return '{}';
    case 'object':
      return value === null ? 'null' : toObjectText(value, depth);
    default:
      return JSON.stringify(value);
  }
}

function toObjectText(value: object, depth: number): string {
  if (Array.isArray(value)) {
    const cells = value.map((cell) => toStateText(cell, depth + 1) ?? 'null');
    return `[${cells.join(',')}]`;
  }
  // A Date, a Map or a Set has nothing of its own to list.
  const members = Object.entries(value).flatMap(([name, member]) => {
    const text = toStateText(member, depth + 1);
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
  });
  return `{${members.join(',')}}`;
}
