/** The node's secret place among all nodes: decides when a staged release reaches it. */
import { join } from 'node:path'
import { ROLLOUT_SEED_BYTES } from '../catalog/index.ts'
import { readFileBounded, writeFileAtomic } from './core/files.ts'

interface Deps {
  readonly randomBytes: (count: number) => Uint8Array
}

/** Made once at random, mode 0600, never told and never derived from anything that others know. */
export async function openSeed(stateFolder: string, { randomBytes }: Deps): Promise<Uint8Array> {
  const path = join(stateFolder, 'rollout.seed')
  const known = await readFileBounded(path, ROLLOUT_SEED_BYTES)
  // A file that was cut short is worth as much as none: nothing but the order of updates depends on it.
  if (known?.length === ROLLOUT_SEED_BYTES) return known
  const made = randomBytes(ROLLOUT_SEED_BYTES)
  await writeFileAtomic(path, made, { mode: 0o600 })
  return made
}
