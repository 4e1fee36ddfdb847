/** Does what the owner may do unasked, and says for the rest what root must type. */
import { mkdir } from 'node:fs/promises'
import type { Run } from '../../orchestrator/index.ts'
import { messageOf } from '../core/errors.ts'
import { writeFileAtomic } from '../core/files.ts'
import { type Diagnosis, type Result, type Step, stepText } from './check.ts'

const STEP_TIMEOUT_MS = 30_000

export interface Treatment {
  readonly code: string
  readonly did: string
  /** Why it did not work. */
  readonly failure?: string
}

/** Pure: what may be done without asking, each step once. */
export function safeSteps(results: readonly Result[]): readonly { code: string; step: Step }[] {
  const all = results
    .flatMap(({ findings }) => findings)
    .filter(({ fix }: Diagnosis) => fix.isSafe && fix.by === 'owner')
    .flatMap(({ code, fix }) => fix.steps.map(step => ({ code, step })))
  return [...new Map(all.map(each => [stepText(each.step), each])).values()]
}

/** A step that fails does not keep the others from being tried. */
export async function treat(results: readonly Result[], run: Run): Promise<readonly Treatment[]> {
  const treatments: Treatment[] = []
  for (const { code, step } of safeSteps(results)) {
    const failure = await attempt(step, run)
    treatments.push({ code, did: stepText(step), ...(failure === undefined ? {} : { failure }) })
  }
  return treatments
}

async function attempt(step: Step, run: Run): Promise<string | undefined> {
  try {
    switch (step.kind) {
      case 'folder':
        await mkdir(step.path, { recursive: true, mode: 0o700 })
        return undefined
      case 'write':
        await writeFileAtomic(step.path, step.text)
        return undefined
      case 'run': {
        const { code, stderr } = await run(step.argv, { timeoutMs: STEP_TIMEOUT_MS })
        return code === 0 ? undefined : stderr.trim() || `ended with ${code}`
      }
    }
  } catch (error) {
    return messageOf(error)
  }
}
