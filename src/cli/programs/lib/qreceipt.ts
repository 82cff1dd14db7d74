/** qreceipt: answers a letter that asks for word of its delivery (Notice-Requested-Upon-Delivery-To). */
import { parseAddressList } from '../../../ingress/inject/address-list.ts';
import { splitField } from '../../../ingress/inject/fields.ts';
import { headerReader, type Header } from '../../../ingress/inject/header-reader.ts';
import { toBare } from '../../../ingress/inject/print-tokens.ts';
import { tokenize } from '../../../mail/address-tokens.ts';
import { formatHeaderAddress } from '../../../mail/address.ts';
import { toBytes } from './bytes.ts';
import { Misused, never, tryLater, type Call } from './program.ts';
import { openQueueLetter } from './queue-letter.ts';

/** Bounces get no answer, nor do double bounces. */
const nobody: ReadonlySet<string> = new Set(['', '#@[]']);

/** `qreceipt address`, in a .qmail file, on the letter. */
export async function qreceipt({ args, env, input }: Call): Promise<number> {
  const [address] = args;
  const sender = env['SENDER'];
  if (address === undefined || sender === undefined) {
    throw new Misused('usage: qreceipt deliveryaddress');
  }
  const { fields } = await readHeader(input());
  if (!asksFor(toBytes(address), fields) || nobody.has(sender)) return 0;
  const letter = await openQueueLetter(env);
  await letter.write(notice(sender, address, fields));
  const { kind } = await letter.finish({ sender: '', recipients: [sender] });
  if (kind === 'permanent') throw never('permanent qmail-queue error');
  if (kind === 'temporary') throw tryLater('temporary qmail-queue error');
  return 0;
}

async function readHeader(input: AsyncIterable<Buffer>): Promise<Header> {
  const reader = headerReader();
  for await (const chunk of input) {
    const header = reader.push(chunk.toString('latin1'));
    if (header !== undefined) return header;
  }
  return reader.end();
}

/** Exactly this address, in any of the fields; all of them are read. */
const asksFor = (address: string, fields: readonly string[]): boolean =>
  fields.flatMap(addressesAsking).includes(address);

function addressesAsking(field: string): readonly string[] {
  const { spelled, value } = splitField(field);
  if (spelled.toLowerCase() !== 'notice-requested-upon-delivery-to') return [];
  const tokens = tokenize(value);
  const list = tokens && parseAddressList(tokens, (each) => each);
  if (list?.tokens === undefined) throw never(`unable to parse this: ${field.replace(/\n$/, '')}`);
  return list.addresses.map(toBare);
}

function notice(sender: string, address: string, fields: readonly string[]): Buffer {
  const to = formatHeaderAddress(sender);
  const id = fields.findLast((field) => splitField(field).spelled.toLowerCase() === 'message-id');
  return Buffer.concat([
    Buffer.from(
      `From: DELIVERY NOTICE SYSTEM <${to}>\nTo: <${to}>\nSubject: success notice\n\n` +
        'Hi! This is the qreceipt program. Your message was delivered to the\n' +
        `following address: ${address}. Thanks for asking.\n`,
    ),
    Buffer.from(id === undefined ? '' : `Your ${id}`, 'latin1'),
  ]);
}
