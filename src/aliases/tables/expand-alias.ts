/**
 * Follows a target through a forwarding table to the end (fastforward): its commands, the lists they
 * name, and the aliases these hold in turn. Programs run as they are met, before anything is forwarded.
 * Texts are byte strings: one character per byte.
 */
import { asciiLower, splitAddress } from '../../mail/address.ts';
import {
  ownerKey,
  parseCommand,
  splitItems,
  targetKey,
  type ForwardCommand,
} from './forward-records.ts';

export type ForwardProgram = Extract<ForwardCommand, { kind: 'program' }>;

export interface ForwardPorts {
  /** The data of the first record with this key. */
  get(key: string): string | undefined;
  /** The bytes of a list file. */
  readList(file: string): string;
  /** What it throws ends all. */
  run(program: ForwardProgram): Promise<void>;
}

export type Expansion = {
  /** Who is the sender of what is forwarded. */
  readonly sender: string;
  /** In the order of the table; empty where programs have done all there is to do. */
  readonly recipients: readonly string[];
};

/** Longer items mean nothing, in bytes with their first sign. */
const itemBytes = 900;

/** `undefined`: the table does not know the target. `sender` as in the letter's envelope. */
export async function expandAlias(
  target: string,
  sender: string,
  ports: ForwardPorts,
): Promise<Expansion | undefined> {
  const folded = asciiLower(target);
  const owner = isBounce(sender) ? undefined : findTarget(ownerKey, folded, ports);
  const data = findTarget(targetKey, folded, ports);
  if (data === undefined) return undefined;
  const walk = new Walk(folded, ports);
  await walk.obey(data);
  return { sender: owner ?? sender, recipients: await walk.finish() };
}

/** Bounces keep their sender, whoever owns the list. */
const isBounce = (sender: string): boolean => sender === '' || sender === '#@[]';

/** The address itself, then its whole host, then its user at any host. */
function findTarget(
  key: (target: string) => string,
  target: string,
  { get }: ForwardPorts,
): string | undefined {
  const { local, domain } = splitAddress(target);
  if (domain === undefined) return get(key(target));
  return get(key(target)) ?? get(key(`@${domain}`)) ?? get(key(`${local}@`));
}

class Walk {
  readonly #target: string;
  readonly #ports: ForwardPorts;
  /** Addresses and lists still to follow, the last one first. */
  readonly #todo: string[] = [];
  readonly #done = new Set<string>();
  /** The last one found first. */
  readonly #recipients: string[] = [];
  #programs = 0;
  /** The target itself, where it names itself among its recipients. */
  #itself: string | undefined;

  constructor(target: string, ports: ForwardPorts) {
    this.#target = target;
    this.#ports = ports;
  }

  /** Runs a record's programs and remembers the rest. */
  async obey(data: string): Promise<void> {
    for (const item of splitItems(data)) {
      const command = parseCommand(item);
      if (command?.kind === 'program') {
        this.#programs += 1;
        await this.#ports.run(command);
      } else if (command !== undefined) this.#remember(item);
    }
  }

  async finish(): Promise<readonly string[]> {
    for (let item = this.#todo.pop(); item !== undefined; item = this.#todo.pop()) {
      if (this.#done.has(item)) continue;
      this.#done.add(item);
      if (item.startsWith('&')) await this.#follow(item.slice(1));
      else for (const inner of splitItems(this.#ports.readList(item))) this.#rememberListed(inner);
    }
    // Whoever forwards to himself alone is told so by the loop that this makes.
    if (this.#recipients.length === 0 && this.#programs === 0 && this.#itself !== undefined) {
      return [this.#itself];
    }
    return this.#recipients.reverse();
  }

  #remember(item: string): void {
    if (item.length < itemBytes) this.#todo.push(item);
  }

  /** A list holds addresses and lists; what else it holds means nothing. */
  #rememberListed(item: string): void {
    if (/^[&./]/.test(item)) this.#remember(item);
  }

  async #follow(address: string): Promise<void> {
    const { get } = this.#ports;
    const data = get(targetKey(address));
    const hasOwner = get(ownerKey(address)) !== undefined;
    // Its record is being obeyed already: a copy for itself would only bounce as a loop.
    if (data !== undefined && asciiLower(address) === this.#target) {
      if (hasOwner) this.#itself = address;
      return;
    }
    // An alias with an owner gets the letter under its own name, and forwards it with its own sender.
    if (hasOwner || data === undefined) this.#recipients.push(address);
    else await this.obey(data);
  }
}
