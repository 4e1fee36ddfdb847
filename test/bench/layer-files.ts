/** Made-up files of an image layer, and a second version of them: the same on every machine. */

export interface LayerFile {
  readonly name: string
  readonly bytes: Uint8Array
}

const WORDS =
  'const let return import from export function class the of and if else for while new null'
    .split(' ')
    .concat(Array.from({ length: 400 }, (_, index) => `name${(index * 7919).toString(36)}`))

/** Half text, which packs well, half like compiled code, which packs less. From 1 to 80 KiB each. */
export function makeFiles(count: number, seed: number): readonly LayerFile[] {
  const random = generator(seed)
  return Array.from({ length: count }, (_, index) => ({
    name: `usr/lib/app/part${Math.floor(index / 40)}/file${index}.${index % 2 === 0 ? 'js' : 'so'}`,
    bytes: index % 2 === 0 ? text(random) : code(random),
  }))
}

/** A second version: in `count` files something is put in; every sixth of them is new, every tenth is gone. */
export function changeFiles(
  files: readonly LayerFile[],
  count: number,
  seed: number,
): readonly LayerFile[] {
  const random = generator(seed)
  const changed = new Set<number>()
  while (changed.size < count) changed.add(Math.floor(random() * files.length))
  return files.flatMap((file, index) => {
    if (!changed.has(index)) return [file]
    if (index % 10 === 9) return []
    if (index % 6 === 5) return [{ name: `${file.name}.new`, bytes: text(random) }, file]
    const middle = Math.floor(file.bytes.length / 2)
    const put = text(random).subarray(0, 1 + Math.floor(random() * 3_000))
    return [
      {
        ...file,
        bytes: Buffer.concat([file.bytes.subarray(0, middle), put, file.bytes.subarray(middle)]),
      },
    ]
  })
}

/** The files as a tar archive (ustar): headers and padding to 512 bytes are what moves in a layer. */
export function tarOf(files: readonly LayerFile[]): Uint8Array {
  return Buffer.concat(
    files.flatMap(({ name, bytes }) => {
      const header = Buffer.alloc(512)
      header.write(name, 0)
      header.write('0000644\0', 100)
      header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124)
      header.write('        0', 148)
      header.write('ustar\u000000', 257)
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      )
      return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]
    }),
  )
}

function text(random: () => number): Buffer {
  const goal = 1024 + random() * 60_000
  const parts: string[] = []
  for (let length = 0; length < goal; ) {
    const word = WORDS[Math.floor(random() ** 2 * WORDS.length)] ?? ''
    parts.push(word, random() < 0.1 ? '\n' : ' ')
    length += word.length + 1
  }
  return Buffer.from(parts.join(''))
}

function code(random: () => number): Buffer {
  const bytes = Buffer.alloc(1024 + Math.floor(random() * 60_000))
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] =
      random() < 0.4 ? 0 : random() < 0.5 ? Math.floor(random() * 16) : Math.floor(random() * 256)
  }
  return bytes
}

function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
