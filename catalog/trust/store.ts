/** The two ports of the verifier: where metadata comes from, and where accepted metadata is kept. */
import type { Floors } from './floors.ts'

export interface Source {
  /** `undefined`: not there. Throws when it cannot be asked. At most `maxBytes`, but the caller checks again. */
  get(name: string, maxBytes: number): Promise<Uint8Array | undefined>
}

/** Accepted files. Synchronous: an implementation holds them in memory and writes to disk outside. */
export interface Store {
  /** `role` is `timestamp`, `snapshot`, `targets`, a delegated role, or `root` (there with the version asked for). */
  get(role: string, version: number | undefined): Uint8Array | undefined
  /** Versions of a delegated role that are here, newest first. */
  versions(role: string): readonly number[]
  set(role: string, version: number, bytes: Uint8Array): void
  getFloors(): Floors
  setFloors(floors: Floors): void
}
