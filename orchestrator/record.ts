/** The record of one app: what its owner wants, which generation is committed, and the operation under way. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { codeOf, messageOf } from '../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import { adoptedSchema, asideSchema } from './adopt/adopted.ts'
import { permissionSchema } from './consent.ts'
import { type Context, recordFolder, type StateFolder } from './context.ts'
import { OrchestratorError } from './errors.ts'
import type { FileMemory } from './file-memory.ts'
import { hookMemorySchema } from './hooks/memory.ts'
import { appSpecSchema } from './spec.ts'
import { updateTermsSchema } from './update-terms.ts'

/** Two generations of 32 components with 32 KiB of environment each stay far below. */
const RECORD_BYTES_MAX = 8 * 2 ** 20

const unitFile = z.strictObject({ name: z.string(), text: z.string() })

/** Values of `config` of the manifest, as text. */
const settings = z.record(z.string(), z.string())

const generation = z.strictObject({
  number: z.int(),
  publisher: z.string(),
  channel: z.string(),
  seq: z.int(),
  /** Address of the manifest: two releases with one number but other content are told apart. */
  manifest: z.string(),
  spec: appSpecSchema,
  images: z.array(
    z.strictObject({
      component: z.string(),
      name: z.string(),
      id: z.string(),
      manifestDigest: z.string(),
    }),
  ),
  quadlet: z.array(unitFile),
  target: unitFile,
  /** What it may do on this machine; absent where nobody declared it. */
  permissions: z.array(permissionSchema).optional(),
  terms: updateTermsSchema.optional(),
  /** The owner's settings that its units were rendered with. */
  config: settings.optional(),
})

const problem = z.strictObject({ code: z.string(), message: z.string() })

/** Data sets whose copies are complete, as they were before `generation` ran for the first time. */
const saved = z
  .strictObject({ generation: z.int(), sets: z.array(z.string()).readonly() })
  .optional()

const operation = z.discriminatedUnion('kind', [
  /** Nothing that runs was touched yet. */
  z.strictObject({ kind: z.literal('prepare'), number: z.int(), startedMs: z.number() }),
  /** From the committed generation, if there is one, to `to`. */
  z.strictObject({
    kind: z.literal('switch'),
    to: generation,
    startedMs: z.number(),
    /** Absent until everything is copied: before that no unit of `to` is in place. */
    saved,
    /** Whether a container of `to` may have run, and so may have changed data. */
    hasRun: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('rollback'),
    from: generation,
    /** Default: the committed generation. */
    to: generation.optional(),
    reason: z.string(),
    startedMs: z.number(),
    saved,
    /** `owner`: somebody asked for it, so it is no failure. `node`: the new version is not to blame and may come again. */
    cause: z.enum(['version', 'owner', 'node']).optional(),
  }),
  /** From containers of somebody else to `to`, or back to them. */
  z.strictObject({
    kind: z.literal('take-over'),
    to: generation,
    startedMs: z.number(),
    isGoingBack: z.boolean(),
    reason: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('start'), startedMs: z.number() }),
  z.strictObject({ kind: z.literal('stop'), startedMs: z.number() }),
  z.strictObject({ kind: z.literal('restart'), startedMs: z.number() }),
  z.strictObject({ kind: z.literal('uninstall'), startedMs: z.number() }),
  z.strictObject({
    kind: z.literal('rotate'),
    secret: z.string(),
    startedMs: z.number(),
    /** Why the old value is put back. */
    undoneFor: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('purge'), startedMs: z.number() }),
])

const appRecord = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  title: z.string(),
  /** The owner's will. Every actor reads it before it starts anything. */
  desired: z.enum(['running', 'stopped']),
  /** Uninstalled; data and secrets are kept. */
  retained: z.boolean(),
  /** Whose app it was before it was uninstalled: another publisher's app of this name must not find its data. */
  publisher: z.string().optional(),
  /** The highest number that was ever put in place, also across an uninstall: none is used twice. */
  lastGeneration: z.int(),
  committed: generation.optional(),
  previous: generation.optional(),
  operation: operation.optional(),
  /** Releases that were taken back on this machine. */
  rejected: z.array(z.strictObject({ seq: z.int(), version: z.string(), reason: z.string() })),
  problem: problem.optional(),
  /** At the last stop a component was killed after its grace, or ended with a status other than 0. */
  wasKilled: z.boolean().optional(),
  /** A release that may do more than the installed one; it waits for the owner. */
  pendingConsent: z
    .strictObject({
      seq: z.int(),
      version: z.string(),
      manifest: z.string(),
      /** What it may do that the installed one may not, and what it may not any more. */
      added: z.array(permissionSchema),
      removed: z.array(permissionSchema),
    })
    .optional(),
  /** Address of the manifest that the owner agreed to. */
  approved: z.string().optional(),
  /** The committed generation is still watched: until it ends, a failure takes it back. */
  probation: z.strictObject({ startedMs: z.number(), lengthMs: z.number(), saved }).optional(),
  config: settings.optional(),
  /** The app runs in containers of somebody else. */
  adopted: adoptedSchema.optional(),
  aside: asideSchema.optional(),
  /** Which steps of its hooks ran; kept over an uninstall, as the data that they set up. */
  hooks: hookMemorySchema.optional(),
  /** What went wrong with them, since their point was last reached. */
  hookProblems: z
    .array(
      z.strictObject({
        point: z.enum(['preStart', 'postStart', 'preUpdate', 'preStop']),
        text: z.string(),
        evidence: z.array(z.string()),
        /** Not a failure: a step that a crash cut off ran twice. */
        isRepeat: z.boolean(),
      }),
    )
    .optional(),
  /** Data that rollbacks put aside; it stays until a purge. */
  setAside: z
    .array(z.strictObject({ set: z.string(), path: z.string(), bytes: z.number() }))
    .optional(),
})

export type AppRecord = z.infer<typeof appRecord>
export type Generation = z.infer<typeof generation>
export type Operation = z.infer<typeof operation>

/** What a record, and so the status, keeps of something that was thrown. */
export function problemOf(error: unknown): NonNullable<AppRecord['problem']> {
  return { code: codeOf(error) ?? 'INTERNAL', message: messageOf(error) }
}

/** Before an operation: what went wrong earlier says nothing about it. */
export function withoutProblem(record: AppRecord): AppRecord {
  const { problem: _, wasKilled: _k, ...rest } = record
  return rest
}

export function emptyRecord(id: string, title: string): AppRecord {
  return {
    format: 1,
    id,
    title,
    desired: 'running',
    retained: false,
    lastGeneration: 0,
    rejected: [],
  }
}

/** @throws OrchestratorError `RECORD_MALFORMED` naming the file; nothing is changed. */
export async function readRecord(
  { options, files }: { readonly options: StateFolder; readonly files?: FileMemory },
  id: string,
): Promise<AppRecord | undefined> {
  const path = join(recordFolder(options), `${id}.json`)
  const make = (bytes: Uint8Array): AppRecord => parseRecord(path, bytes)
  if (files !== undefined) return await files.read(path, RECORD_BYTES_MAX, make)
  const bytes = await readFileBounded(path, RECORD_BYTES_MAX)
  return bytes === undefined ? undefined : make(bytes)
}

function parseRecord(path: string, bytes: Uint8Array): AppRecord {
  try {
    return appRecord.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (error) {
    throw new OrchestratorError('RECORD_MALFORMED', `${path} is not a record of an app`, {
      cause: error,
    })
  }
}

/** Durable when it returns: intent is on disk before its effect. */
export async function writeRecord({ options }: Context, record: AppRecord): Promise<void> {
  const path = join(recordFolder(options), `${record.id}.json`)
  await writeFileAtomic(path, `${JSON.stringify(record, undefined, 1)}\n`, { mode: 0o600 })
}

export async function recordIds({
  options,
}: {
  readonly options: StateFolder
}): Promise<readonly string[]> {
  const names = await readdir(recordFolder(options))
  return names
    .filter(name => /^[a-z][a-z0-9-]*\.json$/.test(name))
    .map(name => name.slice(0, -'.json'.length))
    .sort()
}

/** @throws OrchestratorError `APP_NOT_INSTALLED` */
export async function requireRecord(context: Context, id: string): Promise<AppRecord> {
  const ids = await recordIds(context)
  const record = ids.includes(id) ? await readRecord(context, id) : undefined
  if (record !== undefined) return record
  const known = ids.length === 0 ? 'none' : ids.join(', ')
  throw new OrchestratorError(
    'APP_NOT_INSTALLED',
    `the app ${id} is not installed; installed are: ${known}`,
  )
}

export interface AllRecords {
  readonly records: readonly AppRecord[]
  /** Apps whose record cannot be read; they are left alone. */
  readonly damaged: readonly { readonly id: string; readonly reason: string }[]
}

/** A record that cannot be read hides its own app only. */
export async function readAllRecords(context: Context): Promise<AllRecords> {
  const records: AppRecord[] = []
  const damaged: { id: string; reason: string }[] = []
  for (const id of await recordIds(context)) {
    try {
      const record = await readRecord(context, id)
      if (record !== undefined) records.push(record)
    } catch (error) {
      damaged.push({ id, reason: messageOf(error) })
    }
  }
  return { records, damaged }
}

export async function readRecords(context: Context): Promise<readonly AppRecord[]> {
  return (await readAllRecords(context)).records
}
