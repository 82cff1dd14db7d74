/**
 * A tiny DNS server on loopback, UDP and TCP at one port (RFC 1035 §4). Answers from a table; what is
 * not in it does not exist.
 */
import { createSocket } from 'node:dgram';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

export type DnsRecords = {
  readonly [host: string]: {
    readonly a?: readonly string[];
    readonly aaaa?: readonly string[];
    readonly mx?: readonly (readonly [preference: number, host: string])[];
    /** Answers all questions about the name this way instead. */
    readonly trouble?: 'servfail' | 'refused' | 'silence';
  };
};

export type DnsServer = {
  /** As `Resolver.setServers` wants it. */
  readonly address: string;
  /** Every question, as `UDP MX b.test`. */
  readonly asked: string[];
  close(): Promise<void>;
};

const typeNumbers = { A: 1, MX: 15, AAAA: 28 } as const;
type TypeName = keyof typeof typeNumbers;
/** More than this in one UDP answer, and it says "truncated" (RFC 1035 §4.2.1). */
const udpLimit = 512;

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function encodeIpv6(text: string): Buffer {
  const [head = '', tail] = text.split('::').map((half) => half.split(':').filter((g) => g !== ''));
  const zeros = Array<string>(8 - head.length - (tail?.length ?? 0)).fill('0');
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return Buffer.concat(groups.map((group) => u16(Number.parseInt(group, 16))));
}

/** Name, type and the bytes of the first question. */
function readQuestion(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  const number = query.readUInt16BE(at + 1);
  const type = (Object.keys(typeNumbers) as TypeName[]).find((t) => typeNumbers[t] === number);
  return { name: labels.join('.').toLowerCase(), type, bytes: query.subarray(12, at + 5) };
}

function recordData(type: TypeName | undefined, records: DnsRecords[string]): readonly Buffer[] {
  if (type === 'A') return (records.a ?? []).map((ip) => Buffer.from(ip.split('.').map(Number)));
  if (type === 'AAAA') return (records.aaaa ?? []).map(encodeIpv6);
  if (type !== 'MX') return [];
  return (records.mx ?? []).map(([preference, host]) =>
    Buffer.concat([u16(preference), encodeName(host)]),
  );
}

function respond(
  query: Buffer,
  zone: DnsRecords,
  udp: boolean,
  asked: string[],
): Buffer | undefined {
  const question = readQuestion(query);
  asked.push(`${udp ? 'UDP' : 'TCP'} ${question.type ?? '?'} ${question.name}`);
  const records = zone[question.name];
  if (records?.trouble === 'silence') return undefined;
  const rcode =
    records === undefined ? 3 : { servfail: 2, refused: 5, none: 0 }[records.trouble ?? 'none'];
  const data = records === undefined || rcode !== 0 ? [] : recordData(question.type, records);
  const number = question.type === undefined ? 0 : typeNumbers[question.type];
  const answers = data.map((bytes) =>
    Buffer.concat([u16(0xc00c), u16(number), u16(1), u16(0), u16(60), u16(bytes.length), bytes]),
  );
  const header = (flags: number, count: number) =>
    Buffer.concat([query.subarray(0, 2), u16(flags | rcode), u16(1), u16(count), u16(0), u16(0)]);
  const whole = Buffer.concat([header(0x8580, answers.length), question.bytes, ...answers]);
  if (!udp || whole.length <= udpLimit) return whole;
  return Buffer.concat([header(0x8780, 0), question.bytes]);
}

/** TCP and UDP must share a port, which the system cannot promise: on a clash it draws again. */
export async function dnsServer(zone: DnsRecords): Promise<DnsServer> {
  const asked: string[] = [];
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => connections.delete(socket));
    let heard = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
        const size = heard.readUInt16BE(0);
        const answer = respond(heard.subarray(2, 2 + size), zone, false, asked);
        heard = heard.subarray(2 + size);
        if (answer !== undefined) socket.write(Buffer.concat([u16(answer.length), answer]));
      }
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4', (query, from) => {
    const answer = respond(query, zone, true, asked);
    if (answer !== undefined) udp.send(answer, from.port, from.address);
  });
  const bound = await new Promise<boolean>((resolve) => {
    udp.once('error', () => resolve(false));
    udp.bind(port, '127.0.0.1', () => resolve(true));
  });
  const closeTcp = () => new Promise<void>((resolve) => tcp.close(() => resolve()));
  if (!bound) {
    await closeTcp();
    return dnsServer(zone);
  }
  return {
    address: `127.0.0.1:${port}`,
    asked,
    async close() {
      for (const socket of connections) socket.destroy();
      await Promise.all([closeTcp(), new Promise<void>((resolve) => udp.close(() => resolve()))]);
    },
  };
}
