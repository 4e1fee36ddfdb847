/** Which apps this node is to have: the list in the configuration, changed by what the owner said since. */

import { join } from 'node:path'
import { z } from 'zod'
import { FIRST_PARTY } from '../catalog/index.ts'
import { readFileBounded, writeFileAtomic } from './core/files.ts'
import { createSequence } from './core/sequence.ts'

/** What the owner decided about one app. */
export interface Wish {
  readonly channel: string
  /** Absent: the origin's own app. */
  readonly publisher?: string | undefined
  /** A version to stay at. */
  readonly pin?: string | undefined
  /** The `did:key` of an undelegated publisher whose apps the owner agreed to run. */
  readonly trusts?: string | undefined
}

export interface WantedApp extends Wish {
  /** The app's own id, which is unique on this node. */
  readonly id: string
  readonly publisher: string
}

export interface Wanted {
  list(): readonly WantedApp[]
  find(id: string): WantedApp | undefined
  /** Kept before it returns: it survives a power cut. */
  add(id: string, wish: Wish): Promise<void>
  /** The app stays away even when the configuration lists it, until it is added again. */
  remove(id: string): Promise<void>
}

const WANTED_FILE_BYTES_MAX = 1_048_576

const wishSchema = z.strictObject({
  channel: z.string(),
  publisher: z.string().optional(),
  pin: z.string().optional(),
  trusts: z.string().optional(),
})
/** `null` stands for an app that the owner removed. */
const decisionsSchema = z.record(z.string(), wishSchema.nullable())

/** `notes` is the origin's own app, `<publisher>.notes` another publisher's. */
export function splitName(name: string): { readonly publisher: string; readonly id: string } {
  const dot = name.indexOf('.')
  if (dot === -1) return { publisher: FIRST_PARTY, id: name }
  return { publisher: name.slice(0, dot), id: name.slice(dot + 1) }
}

/** The inverse of `splitName`. */
export function nameOf({ publisher, id }: Pick<WantedApp, 'publisher' | 'id'>): string {
  return publisher === FIRST_PARTY ? id : `${publisher}.${id}`
}

/** Opens the owner's decisions in `folder`; `configured` is the list of the configuration file. */
export async function openWanted(
  folder: string,
  configured: Readonly<Record<string, Wish>>,
): Promise<Wanted> {
  const file = join(folder, 'wanted.json')
  const bytes = await readFileBounded(file, WANTED_FILE_BYTES_MAX)
  let decisions: ReadonlyMap<string, Wish | null> = new Map(
    bytes === undefined
      ? []
      : Object.entries(decisionsSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))),
  )
  const inOrder = createSequence()
  /** One after the other, and in memory only once it is on disk: who is told of a failure finds nothing changed. */
  const decide = (id: string, decision: Wish | null): Promise<void> =>
    inOrder(async () => {
      const next = new Map([...decisions, [id, decision] as const])
      await writeFileAtomic(file, `${JSON.stringify(Object.fromEntries(next))}\n`)
      decisions = next
    })
  const listed = Object.entries(configured).map(([name, wish]) => {
    const { publisher, id } = splitName(name)
    return [id, { ...wish, publisher }] as const
  })
  const list = (): readonly WantedApp[] =>
    [...new Map<string, Wish | null>([...listed, ...decisions])]
      .flatMap(([id, wish]) =>
        wish === null ? [] : [{ ...wish, id, publisher: wish.publisher ?? FIRST_PARTY }],
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    list,
    find: id => list().find(app => app.id === id),
    add: (id, wish) => decide(id, wish),
    remove: id => decide(id, null),
  }
}
