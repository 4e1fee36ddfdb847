/** A publisher that signs a file of its own: proper, or broken in one chosen way. */

import { sign } from 'node:crypto'
import { appPath } from '../../../catalog/app-target.ts'
import { didKeyOf, publisherIdOf } from '../../../catalog/trust/did-key.ts'
import {
  formatTime,
  type KeyRotation,
  SPEC_VERSION,
  type TargetEntry,
  type TargetsDocument,
} from '../../../catalog/trust/document.ts'
import { signDocument } from '../../../catalog/trust/envelope.ts'
import { commitmentBytes, commitmentTo } from '../../../catalog/trust/publisher-chain.ts'
import { appTarget, DAY_MS, makeKey, START_MS, type TestKey } from './signed-origin.ts'

export interface TestPublisher {
  readonly did: string
  readonly id: string
  readonly path: string
  /** The key of each time; the last one is committed to and not used yet. */
  readonly keys: readonly TestKey[]
  file(version: number, changes?: FeedChanges): Uint8Array
}

export interface FeedChanges {
  /** How often the key was replaced. */
  readonly rotated?: number
  readonly signer?: TestKey
  readonly targets?: Readonly<Record<string, TargetEntry>>
  readonly expiresMs?: number
  readonly rotations?: readonly KeyRotation[]
  readonly extra?: object
}

export function makePublisher(keyCount = 3): TestPublisher {
  const keys = Array.from({ length: keyCount }, () => makeKey())
  const did = didKeyOf(keys[0]!.publicKey)
  const id = publisherIdOf(did)
  const path = appPath(id, 'notes', 'stable')
  return {
    did,
    id,
    path,
    keys,
    file(version, changes = {}) {
      const { rotated = 0, signer = keys[rotated]!, expiresMs = START_MS + 90 * DAY_MS } = changes
      const rotations = changes.rotations ?? chainOf(did, keys.slice(0, rotated + 2))
      const document: TargetsDocument = {
        _type: 'targets',
        spec_version: SPEC_VERSION,
        version,
        expires: formatTime(expiresMs),
        'x-did': did,
        'x-next': rotations.at(-1)!.next,
        'x-rotations': rotations,
        targets: changes.targets ?? { [path]: appTarget(version, `${version}.0.0`) },
        ...changes.extra,
      }
      return signDocument(document, [signer])
    },
  }
}

/** Each key commits to the one after it. */
export function chainOf(did: string, keys: readonly TestKey[]): readonly KeyRotation[] {
  return keys.slice(0, -1).map((key, index) => {
    const next = commitmentTo(didKeyOf(keys[index + 1]!.publicKey))
    const sig = sign(null, commitmentBytes(did, index, next), key.privateKey).toString('hex')
    return { key: didKeyOf(key.publicKey), next, sig }
  })
}
