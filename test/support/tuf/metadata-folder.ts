/**
 * The metadata folder of the conformance suite as a store of our verifier. The suite counts every `*.json` in it as a
 * trusted file, so the chain of roots and the floors lie in a folder below.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeFloors, parseFloors } from '../../../catalog/floors-file.ts'
import { noFloors } from '../../../catalog/trust/floors.ts'
import type { Store } from '../../../catalog/trust/store.ts'
import { codeOf } from '../../../src/core/errors.ts'

export interface MetadataFolder extends Store {
  /** The root that the client was given first. */
  embeddedRoot(): Uint8Array
}

export function initFolder(folder: string, root: Uint8Array): void {
  mkdirSync(join(folder, 'state'), { recursive: true })
  writeFileSync(join(folder, 'state/first'), root)
  writeFileSync(join(folder, 'root.json'), root)
}

export function openFolder(folder: string): MetadataFolder {
  const at = (...parts: string[]): string => join(folder, ...parts)
  const pathOf = (role: string, version: number | undefined): string =>
    role === 'root' ? at('state', `${version}.root`) : at(`${encodeURIComponent(role)}.json`)
  return {
    embeddedRoot: () => readFileSync(at('state/first')),
    get: (role, version) => read(pathOf(role, version)),
    versions: () => [],
    set(role, version, bytes) {
      writeFileSync(pathOf(role, version), bytes)
      if (role === 'root') writeFileSync(at('root.json'), bytes)
    },
    getFloors() {
      const bytes = read(at('state/floors'))
      return (bytes && parseFloors(bytes)) ?? noFloors
    },
    setFloors: floors => writeFileSync(at('state/floors'), encodeFloors(floors)),
  }
}

function read(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
