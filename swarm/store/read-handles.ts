/** Open files for reading, shared by readers and closed when they are the oldest and nobody reads. */
import { type FileHandle, open } from 'node:fs/promises'

export interface ReadHandles extends AsyncDisposable {
  /** Runs `task` with the open file. The file stays open for the next reader. */
  use<Result>(path: string, task: (handle: FileHandle) => Promise<Result>): Promise<Result>
  /** Closes a file that is about to be deleted, after its readers. */
  forget(path: string): Promise<void>
}

interface Entry {
  readonly opened: Promise<FileHandle>
  readonly readers: Set<Promise<unknown>>
}

export function createReadHandles(countMax: number): ReadHandles {
  /** Oldest use first. */
  const entries = new Map<string, Entry>()

  async function forget(path: string): Promise<void> {
    const entry = entries.get(path)
    if (entry === undefined) return
    entries.delete(path)
    await Promise.allSettled(entry.readers)
    const [opened] = await Promise.allSettled([entry.opened])
    if (opened.status === 'fulfilled') await opened.value.close()
  }

  async function closeOldest(): Promise<void> {
    if (entries.size <= countMax) return
    const [oldest] = [...entries].find(([, entry]) => entry.readers.size === 0) ?? []
    if (oldest !== undefined) await forget(oldest)
  }

  function entryOf(path: string): Entry {
    const entry = entries.get(path) ?? { opened: open(path, 'r'), readers: new Set() }
    entries.delete(path)
    entries.set(path, entry)
    return entry
  }

  return {
    async use(path, task) {
      const entry = entryOf(path)
      const reading = entry.opened.then(task)
      entry.readers.add(reading)
      try {
        return await reading
      } catch (error) {
        if (entries.get(path) === entry) await dropUnopened(entries, path, entry)
        throw error
      } finally {
        entry.readers.delete(reading)
        await closeOldest()
      }
    },
    forget,
    async [Symbol.asyncDispose]() {
      await Promise.all([...entries.keys()].map(forget))
    },
  }
}

/** A file that could not be opened must be tried again by the next reader. */
async function dropUnopened(entries: Map<string, Entry>, path: string, entry: Entry) {
  const [outcome] = await Promise.allSettled([entry.opened])
  if (outcome.status === 'rejected') entries.delete(path)
}
