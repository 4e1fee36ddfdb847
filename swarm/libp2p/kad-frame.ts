/** ADD_PROVIDER of kad-dht with its length in front: kad-dht sends one by a walk, this node many over one stream. Pure. */

/** Numbers of the fields in kad-dht's protobuf. */
const FIELD = { type: 1, key: 2, providers: 9, id: 1, address: 2 } as const
const ADD_PROVIDER = 2

export interface Provider {
  /** The multihash that a peer id is. */
  readonly id: Uint8Array
  readonly addresses: readonly Uint8Array[]
}

/** `key`: a multihash. */
export function encodeAddProvider(key: Uint8Array, { id, addresses }: Provider): Uint8Array {
  const peer = [field(FIELD.id, id), ...addresses.map(address => field(FIELD.address, address))]
  const body = Buffer.concat([
    Buffer.from([FIELD.type << 3, ADD_PROVIDER]),
    field(FIELD.key, key),
    field(FIELD.providers, Buffer.concat(peer)),
  ])
  return Buffer.concat([varint(body.byteLength), body])
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.byteLength), bytes])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7f; left >>= 7) bytes.push((left & 0x7f) | 0x80)
  return Buffer.from([...bytes, left])
}
