/** The floors on disk: one small file apart from the cached documents, so that wiping the cache lowers nothing. */
import { z } from 'zod'
import { canonicalJson } from '../src/core/canonical-json.ts'
import { type Floor, type Floors, noFloors } from './trust/floors.ts'

/** The number of roles is bounded by the snapshot's size; this is above what such a snapshot leads to. */
export const FLOORS_BYTES_MAX = 16_000_000

const floor = z.strictObject({ version: z.int().min(1), content: z.string().max(64).optional() })
const schema = z.strictObject({
  root: z.int().min(1),
  online: z.string().max(64),
  issuedMs: z.int().min(0).default(0),
  timestamp: floor.optional(),
  snapshot: floor.optional(),
  roles: z.array(z.tuple([z.string().max(128), floor])),
})

export function encodeFloors(floors: Floors): Uint8Array {
  return canonicalJson({ ...floors, roles: [...floors.roles] })
}

/** `undefined` when the file is damaged. */
export function parseFloors(bytes: Uint8Array): Floors | undefined {
  try {
    const { root, online, issuedMs, timestamp, snapshot, roles } = schema.parse(
      JSON.parse(Buffer.from(bytes).toString('utf8')),
    )
    return {
      ...noFloors,
      root,
      online,
      issuedMs,
      timestamp: timestamp && floorOf(timestamp),
      snapshot: snapshot && floorOf(snapshot),
      roles: new Map(roles.map(([role, value]) => [role, floorOf(value)])),
    }
  } catch {
    // Not JSON, or not of this shape: the caller reports it and goes on from the cached documents.
    return undefined
  }
}

function floorOf({ version, content }: z.infer<typeof floor>): Floor {
  return { version, content }
}
