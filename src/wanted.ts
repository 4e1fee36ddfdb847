/** Which apps this node is to have: the list in the configuration, changed by what the owner said since. */
import { join } from 'node:path'
import { z } from 'zod'
import { readFileBounded, writeFileAtomic } from './core/files.ts'

export interface WantedApp {
  readonly id: string
  readonly channel: string
}

export interface Wanted {
  list(): readonly WantedApp[]
  channelOf(id: string): string | undefined
  /** Kept before it returns: it survives a power cut. */
  add(id: string, channel: string): Promise<void>
  /** The app stays away even when the configuration lists it, until it is added again. */
  remove(id: string): Promise<void>
}

const WANTED_FILE_BYTES_MAX = 1_048_576

/** `null` stands for an app that the owner removed. */
const decisionsSchema = z.record(z.string(), z.strictObject({ channel: z.string() }).nullable())

/** Opens the owner's decisions in `folder`; `configured` is the list of the configuration file. */
export async function openWanted(
  folder: string,
  configured: Readonly<Record<string, { readonly channel: string }>>,
): Promise<Wanted> {
  const file = join(folder, 'wanted.json')
  const bytes = await readFileBounded(file, WANTED_FILE_BYTES_MAX)
  let decisions: ReadonlyMap<string, { readonly channel: string } | null> = new Map(
    bytes === undefined
      ? []
      : Object.entries(decisionsSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))),
  )
  let last: Promise<void> = Promise.resolve()
  /** One after the other, and in memory only once it is on disk: who is told of a failure finds nothing changed. */
  const decide = (id: string, decision: { channel: string } | null): Promise<void> => {
    const done = last.then(async () => {
      const next = new Map([...decisions, [id, decision] as const])
      await writeFileAtomic(file, `${JSON.stringify(Object.fromEntries(next))}\n`)
      decisions = next
    })
    // The caller of `decide` gets the failure; the next decision only waits for the end.
    last = done.catch(() => undefined)
    return done
  }
  const list = (): readonly WantedApp[] =>
    [
      ...new Map<string, { readonly channel: string } | null>([
        ...Object.entries(configured),
        ...decisions,
      ]),
    ]
      .flatMap(([id, wish]) => (wish === null ? [] : [{ id, channel: wish.channel }]))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    list,
    channelOf: id => list().find(app => app.id === id)?.channel,
    add: (id, channel) => decide(id, { channel }),
    remove: id => decide(id, null),
  }
}
