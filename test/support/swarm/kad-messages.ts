/** Messages of kad-dht, byte by byte, so that a test can say what no honest peer says. */

export const KAD = { putValue: 0, addProvider: 2, getProviders: 3, findNode: 4 } as const

interface KadPeer {
  readonly id: Uint8Array
  readonly addresses: readonly Uint8Array[]
}

interface KadMessage {
  readonly type: number
  readonly key: Uint8Array
  readonly record?: Uint8Array
  readonly closer?: readonly KadPeer[]
  readonly providers?: readonly KadPeer[]
}

/** With its length in front. */
export function encodeKad({ type, key, record, closer = [], providers = [] }: KadMessage): Buffer {
  const body = Buffer.concat([
    varint(1 << 3),
    varint(type),
    field(2, key),
    ...(record === undefined ? [] : [field(3, record)]),
    ...closer.map(peer => field(8, encodePeer(peer))),
    ...providers.map(peer => field(9, encodePeer(peer))),
  ])
  return Buffer.concat([varint(body.byteLength), body])
}

function encodePeer({ id, addresses }: KadPeer): Buffer {
  return Buffer.concat([field(1, id), ...addresses.map(address => field(2, address))])
}

/** Only what tests look at: the ids in the list of providers. Without its length. */
export function providerIdsIn(message: Uint8Array): readonly string[] {
  return fieldsOf(message, 9).map(peer => fieldsOf(peer, 1).map(hexOf).join())
}

function fieldsOf(message: Uint8Array, wanted: number): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < message.byteLength; ) {
    const [tag, afterTag] = readVarint(message, at)
    const [value, afterValue] = readVarint(message, afterTag)
    const isBytes = (tag & 7) === 2
    if (isBytes && tag >> 3 === wanted) found.push(message.subarray(afterValue, afterValue + value))
    at = isBytes ? afterValue + value : afterValue
  }
  return found
}

/** The message behind its length, once all of it is there. */
export function takeKad(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength === 0) return undefined
  const [length, at] = readVarint(bytes, 0)
  return bytes.byteLength < at + length ? undefined : bytes.subarray(at, at + length)
}

function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.byteLength), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80)
  return Buffer.from([...bytes, left])
}

function readVarint(bytes: Uint8Array, from: number): readonly [number, number] {
  let value = 0
  for (let at = from, unit = 1; at < bytes.byteLength; at += 1, unit *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * unit
    if (byte < 0x80) return [value, at + 1]
  }
  return [value, bytes.byteLength]
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
