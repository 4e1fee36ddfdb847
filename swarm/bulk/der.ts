/** The few forms of DER that a self-signed certificate consists of. Pure. @see X.690 */

export const DerTag = {
  integer: 0x02,
  bitString: 0x03,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  /** `[0]`, around the version of a certificate. */
  explicit0: 0xa0,
} as const

type Tag = (typeof DerTag)[keyof typeof DerTag]

/** One element: tag, length, content. */
export function der(tag: Tag, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const { byteLength } = body
  if (byteLength < 0x80) return Buffer.concat([Buffer.of(tag, byteLength), body])
  const hex = byteLength.toString(16)
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | length.byteLength), length, body])
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(DerTag.sequence, ...content)
}

/** A positive number in its shortest form: big-endian, the first bit not set, the first byte not 0. */
export function integer(bytes: Uint8Array): Buffer {
  return der(DerTag.integer, bytes)
}

export function bitString(bytes: Uint8Array): Buffer {
  return der(DerTag.bitString, Buffer.of(0), bytes)
}

export function utf8(text: string): Buffer {
  return der(DerTag.utf8, Buffer.from(text))
}

/** `YYMMDDHHMMSSZ`; years from 50 on are of the last century. */
export function utcTime(text: string): Buffer {
  return der(DerTag.utcTime, Buffer.from(text))
}

/** Dotted numbers. */
export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number)
  return der(DerTag.objectId, Buffer.from([first * 40 + second, ...others.flatMap(base128)]))
}

/** Seven bits a byte, the highest bit set in all but the last. */
function base128(value: number): readonly number[] {
  const bytes = [value & 0x7f]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    bytes.unshift((left & 0x7f) | 0x80)
  }
  return bytes
}
