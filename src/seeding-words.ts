/** What the owner said about seeding to the running node: limits, and what to seed. It goes over the configuration. */

import { join } from 'node:path'
import { z } from 'zod'
import type { Limits } from '../swarm/index.ts'
import { readFileBounded, writeFileAtomic } from './core/files.ts'
import { createSequence } from './core/sequence.ts'

export interface SeedingWords {
  limits(): Limits
  /** Names of apps and digests of blobs, in order. */
  seeds(): readonly string[]
  /** Kept before it returns. A limit that is `undefined` is taken back: the configuration holds again. */
  setLimits(change: { readonly [N in keyof Limits]: Limits[N] | undefined }): Promise<Limits>
  addSeed(name: string): Promise<void>
  removeSeed(name: string): Promise<void>
}

const FILE_BYTES_MAX = 1_048_576

const rate = z.int().positive().nullable().optional()
const wordsSchema = z.strictObject({
  limits: z.strictObject({ upload: rate, download: rate, origin: rate }),
  seeds: z.array(z.string().max(97)),
})
type Words = z.infer<typeof wordsSchema>

export async function openSeedingWords(folder: string): Promise<SeedingWords> {
  const file = join(folder, 'seeding.json')
  const bytes = await readFileBounded(file, FILE_BYTES_MAX)
  let words: Words =
    bytes === undefined
      ? { limits: {}, seeds: [] }
      : wordsSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  const inOrder = createSequence()
  /** One after the other, and in memory only once it is on disk: who is told of a failure finds nothing changed. */
  const change = (edit: (words: Words) => Words): Promise<void> =>
    inOrder(async () => {
      const next = edit(words)
      await writeFileAtomic(file, `${JSON.stringify(next)}\n`)
      words = next
    })
  const limits = (): Limits => withoutAbsent(words.limits)
  return {
    limits,
    seeds: () => words.seeds,
    async setLimits(changed) {
      await change(old => ({ ...old, limits: { ...old.limits, ...changed } }))
      return limits()
    },
    addSeed: name => change(old => ({ ...old, seeds: [...new Set([...old.seeds, name])].sort() })),
    removeSeed: name => change(old => ({ ...old, seeds: old.seeds.filter(each => each !== name) })),
  }
}

function withoutAbsent(limits: Words['limits']): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}
