/** What this node gives to peers of its catalog: every file that it accepted itself, as it came, and nothing else. Pure. */
import type { Digest } from '../src/core/digest.ts'
import type { State } from './state.ts'

export function mirrorFile(
  { files }: State,
  embedded: { readonly name: string; readonly bytes: Uint8Array },
  name: string,
): Uint8Array | undefined {
  return files.get(name) ?? (name === embedded.name ? embedded.bytes : undefined)
}

/** The address is the one that the signed parent states, so the file is the trusted one. */
export function mirrorFileByDigest(
  { files, trusted }: State,
  digest: Digest,
): Uint8Array | undefined {
  const { timestamp, snapshot } = trusted
  if (timestamp?.snapshot.blake3 === digest) {
    return files.get(`${timestamp.snapshot.version}.snapshot.json`)
  }
  for (const [role, { version, blake3 }] of snapshot?.meta ?? []) {
    if (blake3 === digest) return files.get(`${version}.${encodeURIComponent(role)}.json`)
  }
  return undefined
}
