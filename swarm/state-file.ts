/** A small JSON file of the swarm that survives a power cut and tolerates damage: everything in it can be learnt again. */
import { messageOf } from '../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import type { Log } from '../src/core/log.ts'
import { STATE_FILE_BYTES_MAX } from './limits.ts'

export interface StateFile<T> {
  /** What `parse` made of the file, or of `undefined` when there is none or it is damaged. */
  readonly initial: T
  /** Writes soon; calls in between are joined. Failures are logged. */
  save(value: T): void
  /** Resolves when everything saved is on disk. */
  flush(): Promise<void>
}

export async function openStateFile<T>(
  log: Log,
  path: string,
  parse: (content: unknown) => T,
): Promise<StateFile<T>> {
  let pending: { value: T } | undefined
  let writing: Promise<void> | undefined

  async function drain(): Promise<void> {
    for (let next = pending; next !== undefined; next = pending) {
      pending = undefined
      try {
        await writeFileAtomic(path, JSON.stringify(next.value), { mode: 0o600 })
      } catch (error) {
        log.error('state cannot be written', { path, reason: messageOf(error) })
      }
    }
    writing = undefined
  }

  return {
    initial: parse(await readContent(log, path)),
    save(value) {
      pending = { value }
      writing ??= drain()
    },
    async flush() {
      await writing
    },
  }
}

async function readContent(log: Log, path: string): Promise<unknown> {
  try {
    const bytes = await readFileBounded(path, STATE_FILE_BYTES_MAX)
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    log.warn('state file is damaged and starts empty', { path, reason: messageOf(error) })
    return undefined
  }
}

/** The entries of a JSON object; none for anything else. */
export function entriesOf(content: unknown): readonly [string, unknown][] {
  return typeof content === 'object' && content !== null ? Object.entries(content) : []
}
