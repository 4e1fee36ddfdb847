/** Proofs of forks on disk: each both files, as they came. They outlive restarts and rotations of the keys. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { codeOf, messageOf } from '../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import type { Log } from '../src/core/log.ts'
import type { ForkProof } from './fork.ts'

/** Whoever holds the key can make forks without end; a few prove as much as many. */
export const PROOF_COUNT_MAX = 32
/** Two timestamps in base64. */
const PROOF_BYTES_MAX = 65_536

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const schema = z.strictObject({
  kind: z.enum(['same-version', 'two-successors']),
  version: z.int().min(1),
  contents: z.tuple([hash, hash]),
  files: z.tuple([z.base64(), z.base64()]),
})

export async function readProofs(folder: string, log: Log): Promise<readonly ForkProof[]> {
  const proofs: ForkProof[] = []
  for (const name of (await listFolder(folder)).slice(0, PROOF_COUNT_MAX)) {
    try {
      const bytes = await readFileBounded(join(folder, name), PROOF_BYTES_MAX)
      const proof = schema.parse(JSON.parse(Buffer.from(bytes ?? []).toString('utf8')))
      const [a, b] = proof.files
      proofs.push({ ...proof, files: [Buffer.from(a, 'base64'), Buffer.from(b, 'base64')] })
    } catch (error) {
      log.warn('proof of a fork not read', { name, error: messageOf(error) })
    }
  }
  return proofs
}

export async function writeProof(folder: string, proof: ForkProof): Promise<void> {
  const [a, b] = proof.files.map(bytes => Buffer.from(bytes).toString('base64'))
  const text = JSON.stringify({ ...proof, files: [a, b] })
  await writeFileAtomic(join(folder, `${keyOf(proof)}.json`), `${text}\n`)
}

/** Equal for the same two heads, in whatever order they were met. */
export function keyOf({ contents }: Pick<ForkProof, 'contents'>): string {
  return [...contents]
    .sort()
    .map(content => content.slice(0, 32))
    .join('-')
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter(name => name.endsWith('.json')).sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
