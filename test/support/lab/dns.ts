/** The lab's name server: A and AAAA of the lab's own hosts, and at once "no such name" for everything else. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'

/** The addresses of a name, v4 and v6 mixed; none when there is no such host. */
export type Lookup = (name: string) => readonly string[]

const HEADER_BYTES = 12
const TYPE_A = 1
const TYPE_AAAA = 28
/** Response, authoritative, recursion desired and available. */
const FLAGS_FOUND = 0x8580
const FLAGS_NO_NAME = 0x8583
/** A pointer to the name in the question, RFC 1035 §4.1.4. */
const NAME_POINTER = 0xc00c
const ANSWER_TTL_S = 5
/** Search domains that containers append. */
const SUFFIX = /\.(dns\.podman|lab)$/

/** The reply to one query; `undefined` when it is no query that can be answered. @see RFC 1035 §4.1 */
export function answerQuery(query: Buffer, lookup: Lookup): Buffer | undefined {
  const question = readQuestion(query)
  if (question === undefined) return undefined
  const addresses = lookup(question.name.toLowerCase().replace(SUFFIX, ''))
  const answers = addresses
    .filter(address => question.type === (isIPv4(address) ? TYPE_A : TYPE_AAAA))
    .map(address => encodeAnswer(question.type, address))
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(addresses.length > 0 ? FLAGS_FOUND : FLAGS_NO_NAME, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  return Buffer.concat([header, query.subarray(HEADER_BYTES, question.end), ...answers])
}

/** Serves until disposed. */
export async function openDns(
  address: string,
  port: number,
  lookup: Lookup,
): Promise<AsyncDisposable & { readonly port: number }> {
  const socket = createSocket('udp4')
  socket.on('message', (query, sender) => {
    const reply = answerQuery(query, lookup)
    if (reply !== undefined) socket.send(reply, sender.port, sender.address)
  })
  socket.bind(port, address)
  await once(socket, 'listening')
  // An answer to a node that has just lost its power cannot be delivered; it will ask again.
  socket.on('error', () => {})
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } | undefined {
  if (query.length < HEADER_BYTES || query.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = HEADER_BYTES
  for (;;) {
    const length = query[at]
    if (length === undefined || length > 63) return undefined
    if (length === 0) break
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const end = at + 5
  if (end > query.length) return undefined
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end }
}

function encodeAnswer(type: number, address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(NAME_POINTER, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ANSWER_TTL_S, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(part => part !== '')
  const after = tail.split(':').filter(part => part !== '')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const bytes = Buffer.alloc(16)
  for (const [index, part] of [...before, ...zeros, ...after].entries()) {
    bytes.writeUInt16BE(Number.parseInt(part, 16), index * 2)
  }
  return bytes
}
