/** The owner's consent to use exactly one catalog although it is expired; kept over restarts. */
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import type { Log } from '../src/core/log.ts'

export interface AcceptedStale {
  has(version: number, content: string): boolean
  add(version: number, content: string): Promise<void>
}

const FILE_BYTES_MAX = 4096
const schema = z.strictObject({ version: z.int().min(1), content: z.string().length(64) })

export async function openAcceptedStale(folder: string, log: Log): Promise<AcceptedStale> {
  const path = join(folder, 'accepted-stale.json')
  let accepted: z.infer<typeof schema> | undefined
  const bytes = await readFileBounded(path, FILE_BYTES_MAX)
  try {
    if (bytes !== undefined) {
      accepted = schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    }
  } catch (error) {
    log.warn('consent to a stale catalog not read; ask again', { error: messageOf(error) })
  }
  return {
    has: (version, content) => accepted?.version === version && accepted.content === content,
    async add(version, content) {
      await writeFileAtomic(path, `${JSON.stringify({ version, content })}\n`)
      accepted = { version, content }
    },
  }
}
