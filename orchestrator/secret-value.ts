/** One new secret value from random bytes. Pure but for the bytes it is given. */

type Kind = 'password' | 'hex' | 'base64' | 'uuid'

/** 64 characters, so that six random bits choose one without bias; none of them needs quoting anywhere. */
const PASSWORD_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** `length` counts characters; a `uuid` has its own. */
export function generateSecret(
  kind: Kind,
  length: number,
  randomBytes: (length: number) => Uint8Array,
): string {
  return generators[kind](length, randomBytes)
}

const generators: Readonly<
  Record<Kind, (length: number, randomBytes: (length: number) => Uint8Array) => string>
> = {
  password: (length, randomBytes) =>
    [...randomBytes(length)].map(byte => PASSWORD_CHARACTERS[byte & 63]).join(''),
  hex: (length, randomBytes) =>
    Buffer.from(randomBytes(Math.ceil(length / 2)))
      .toString('hex')
      .slice(0, length),
  base64: (length, randomBytes) =>
    Buffer.from(randomBytes(length)).toString('base64').slice(0, length),
  uuid: (_length, randomBytes) => {
    const bytes = Buffer.from(randomBytes(16))
    // Version 4 and the variant of RFC 9562.
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  },
}
