import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'

/** What a name server says of a name: addresses (none: the name is there, and has none of that kind), that there is none, or nothing. */
export type Zone = Readonly<
  Record<
    string,
    | { readonly addresses: readonly string[]; readonly ttl?: number; readonly silentAbout?: 'A' | 'AAAA' }
    | 'silent'
    | 'broken'
  >
>

export interface NameServer {
  /** `host:port`, for the config. */
  readonly address: string
  /** Names that were asked for, with the kind of address: `A hooks.test`. */
  readonly asked: readonly string[]
  /** Says something else from now on. Names that are not there do not exist. */
  serve(zone: Zone): void
  [Symbol.asyncDispose](): Promise<void>
}

const kinds: Readonly<Record<number, { readonly name: string; readonly version: number }>> = {
  1: { name: 'A', version: 4 },
  28: { name: 'AAAA', version: 6 },
}
const noSuchName = 3
const serverFailure = 2

/** The question of a query: its name, its type, and where it ends. */
const readQuestion = (query: Buffer): { name: string; type: number; end: number } => {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

const bytesOf = (address: string): Buffer => {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : [])
  const before = groups(head)
  const after = groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const words = [...before, ...(tail === undefined ? [] : zeros), ...after]
  return Buffer.from(words.map(word => word.padStart(4, '0')).join(''), 'hex')
}

const answerTo = (query: Buffer, end: number, code: number, records: readonly Buffer[]): Buffer => {
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, query.subarray(12, end), ...records])
}

/** An address record of the name in the question, to which the first two bytes point. */
const recordOf = (type: number, ttl: number, data: Buffer): Buffer => {
  const record = Buffer.alloc(12)
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(type, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(ttl, 6)
  record.writeUInt16BE(data.length, 10)
  return Buffer.concat([record, data])
}

/** A name server on a UDP port of its own, as RFC 1035 has it. A name may be `*.zone.test`, for all under it. */
export const startNameServer = async (first: Zone = {}, port = 0): Promise<NameServer> => {
  const socket = createSocket('udp4')
  const asked: string[] = []
  let zone = first

  const find = (name: string) =>
    zone[name] ??
    Object.entries(zone).find(([key]) => key.startsWith('*') && name.endsWith(key.slice(1)))?.[1]

  socket.on('message', (query, { address, port: from }) => {
    const { name, type, end } = readQuestion(query)
    const kind = kinds[type]
    asked.push(`${kind?.name ?? type} ${name}`)
    const found = find(name)
    if (found === 'silent') return
    const reply = (code: number, records: readonly Buffer[] = []): void =>
      socket.send(answerTo(query, end, code, records), from, address)
    if (found === undefined) return reply(noSuchName)
    if (found === 'broken') return reply(serverFailure)
    if (found.silentAbout === kind?.name) return
    const fitting = found.addresses.filter(text => isIP(text) === kind?.version)
    reply(
      0,
      fitting.map(text => recordOf(type, found.ttl ?? 60, bytesOf(text))),
    )
  })
  socket.bind(port, '127.0.0.1')
  await once(socket, 'listening')

  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    serve: next => {
      zone = next
    },
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}
