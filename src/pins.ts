/** What the owner wants to keep whatever else is needed: blobs by their address, and apps. */

import { join } from 'node:path'
import { z } from 'zod'
import { type Digest, parseDigest } from './core/digest.ts'
import { messageOf, NodeError } from './core/errors.ts'
import { readFileBounded, writeFileAtomic } from './core/files.ts'
import { createSequence } from './core/sequence.ts'

export class PinsError extends NodeError<'PINS_UNREADABLE'> {}

export interface PinSet {
  readonly blobs: readonly Digest[]
  /** As in `wanted`: `notes` or `<publisher>.notes`. */
  readonly apps: readonly string[]
}

export interface Pins {
  /** Read anew each time. @throws PinsError `PINS_UNREADABLE`: nobody may then take anything for not pinned */
  read(): Promise<PinSet>
  /** A digest or the name of an app; kept before it returns. @throws PinsError `PINS_UNREADABLE` */
  add(name: Digest | string): Promise<PinSet>
  remove(name: Digest | string): Promise<PinSet>
}

/** Some ten thousand pins; whoever has more wants no clean-up at all. */
const PINS_FILE_BYTES_MAX = 1_048_576

const digest = z.string().transform(text => parseDigest(text))
const pinsSchema = z.strictObject({ blobs: z.array(digest), apps: z.array(z.string().max(97)) })

export function createPins(stateFolder: string): Pins {
  const file = join(stateFolder, 'pins.json')
  const inOrder = createSequence()

  async function read(): Promise<PinSet> {
    try {
      const bytes = await readFileBounded(file, PINS_FILE_BYTES_MAX)
      if (bytes === undefined) return { blobs: [], apps: [] }
      return pinsSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    } catch (error) {
      const fix = 'correct it, or delete it and pin again'
      const message = `the pins in ${file} cannot be read; ${fix}: ${messageOf(error)}`
      throw new PinsError('PINS_UNREADABLE', message, { cause: error })
    }
  }

  /** One after the other: two changes at once would lose one. */
  function change(edit: (pins: PinSet) => PinSet): Promise<PinSet> {
    return inOrder(async () => {
      const next = edit(await read())
      await writeFileAtomic(file, `${JSON.stringify(next)}\n`)
      return next
    })
  }

  return {
    read,
    add: name => change(pins => edited(pins, name, list => [...new Set([...list, name])].sort())),
    remove: name => change(pins => edited(pins, name, list => list.filter(each => each !== name))),
  }
}

function edited(
  pins: PinSet,
  name: string,
  edit: (list: readonly string[]) => readonly string[],
): PinSet {
  if (!name.startsWith('blake3:')) return { ...pins, apps: edit(pins.apps) }
  return { ...pins, blobs: edit(pins.blobs).map(parseDigest) }
}
