/** Which steps of a hook run, from what is remembered of them. Pure. */
import { z } from 'zod'
import type { AppManifest } from '../../catalog/index.ts'

export type HookPoint = keyof AppManifest['hooks']
export type HookStep = AppManifest['hooks'][HookPoint][number]

/** By the key of the step. A step that ended with an error is forgotten: it runs again when its time comes. */
export const hookMemorySchema = z.record(
  z.string(),
  z.strictObject({
    version: z.string(),
    /** `begun`: nobody knows whether it ended, because a crash or a power cut came between. */
    state: z.enum(['begun', 'done']),
    /** How often it was begun for this version. */
    count: z.int(),
  }),
)

export type HookMemory = z.infer<typeof hookMemorySchema>

/** Once it was cut off it is begun a second time, and never a third. */
const BEGUN_COUNT_MAX = 2

export type Decision = 'run' | 'skip' | 'run-again' | 'give-up'

/** The same step in another version: by its name, else by its place. */
export function stepKey(point: HookPoint, step: HookStep, index: number): string {
  return `${point} ${step.name ?? `#${index + 1}`}`
}

/** What people call it. */
export function stepTitle(point: HookPoint, step: HookStep, index: number): string {
  return `step ${step.name === undefined ? index + 1 : `"${step.name}"`} of ${point}`
}

export function decideStep(
  { runs }: Pick<HookStep, 'runs'>,
  known: HookMemory[string] | undefined,
  version: string,
): Decision {
  if (runs === 'always' || known === undefined) return 'run'
  const isSame = runs === 'oncePerInstall' || known.version === version
  if (!isSame) return 'run'
  if (known.state === 'done') return 'skip'
  return known.count >= BEGUN_COUNT_MAX ? 'give-up' : 'run-again'
}

/** Before it runs. */
export function begun(
  memory: HookMemory,
  key: string,
  version: string,
  decision: Decision,
): HookMemory {
  const count = decision === 'run-again' ? (memory[key]?.count ?? 0) + 1 : 1
  return { ...memory, [key]: { version, state: 'begun', count } }
}

export function done(memory: HookMemory, key: string, version: string): HookMemory {
  return { ...memory, [key]: { version, state: 'done', count: memory[key]?.count ?? 1 } }
}

export function forgotten(memory: HookMemory, key: string): HookMemory {
  const { [key]: _, ...rest } = memory
  return rest
}
