/** Runs the steps of a hook point, and remembers each before and after: a crash repeats a step once at most, and is told. */
import { codeOf, messageOf, NodeError } from '../../src/core/errors.ts'
import { appFacts } from '../app-facts.ts'
import type { Context } from '../context.ts'
import { OrchestratorError } from '../errors.ts'
import type { Journal } from '../journal.ts'
import { findManifest } from '../manifests.ts'
import type { AppRecord, Generation } from '../record.ts'
import { readSecrets } from '../secret-files.ts'
import {
  begun,
  decideStep,
  done,
  forgotten,
  type HookPoint,
  type HookStep,
  stepKey,
  stepTitle,
} from './memory.ts'
import { type HookSubject, performStep } from './perform.ts'
import { redact } from './redact.ts'

type HookProblem = NonNullable<AppRecord['hookProblems']>[number]

/**
 * The steps of `generation`, one after the other. Nothing where the app has none, and where nothing runs.
 * @throws OrchestratorError `HOOK_FAILED` for a step that fails and whose `onError` is `fail`. What it wrote is in the
 * record either way. At `preStop` nothing is thrown: a stop is the owner's will.
 */
export async function runHooks(
  context: Context,
  journal: Journal,
  point: HookPoint,
  generation: Generation,
  signal: AbortSignal,
): Promise<void> {
  if (context.options.mode === 'render') return
  const { id } = journal.record
  const manifest = await findManifest(context, id, generation.number)
  const steps = manifest?.hooks[point] ?? []
  if (manifest === undefined || steps.length === 0) return
  const { values } = await appFacts(context, manifest, generation.config ?? {})
  const subject = { manifest, generation, values, signal }
  await putProblems(journal, point, [])
  for (const [index, step] of steps.entries()) {
    const problem = await runStep(context, journal, { point, step, index }, subject)
    if (problem === undefined) continue
    await putProblems(journal, point, [...problemsOf(journal, point), problem])
    if (problem.isRepeat || step.onError === 'warn' || point === 'preStop') continue
    throw new OrchestratorError('HOOK_FAILED', `${id}: ${problem.text}`, {
      problems: problem.evidence,
    })
  }
}

interface Place {
  readonly point: HookPoint
  readonly step: HookStep
  readonly index: number
}

async function runStep(
  context: Context,
  journal: Journal,
  { point, step, index }: Place,
  subject: HookSubject,
): Promise<HookProblem | undefined> {
  const { version } = subject.manifest
  const key = stepKey(point, step, index)
  const title = stepTitle(point, step, index)
  const memory = (): NonNullable<AppRecord['hooks']> => journal.record.hooks ?? {}
  const decision = decideStep(step, memory()[key], version)
  if (decision === 'skip') return undefined
  if (decision === 'give-up') {
    return problemOf(point, `${title} was cut off twice and is not begun again`, [])
  }
  await journal.put({ ...journal.record, hooks: begun(memory(), key, version, decision) })
  try {
    await performStep(context, step, subject)
  } catch (error) {
    subject.signal.throwIfAborted()
    await journal.put({ ...journal.record, hooks: forgotten(memory(), key) })
    return problemOf(point, `${title} failed`, await evidenceOf(context, journal, error))
  }
  await journal.put({ ...journal.record, hooks: done(memory(), key, version) })
  if (decision !== 'run-again') return undefined
  context.deps.log.warn('a step of a hook was begun twice', { app: journal.record.id, step: title })
  return {
    ...problemOf(point, `${title} was cut off by a crash and was run a second time`, []),
    isRepeat: true,
  }
}

function problemOf(point: HookPoint, text: string, evidence: string[]): HookProblem {
  return { point, text, evidence, isRepeat: false }
}

async function evidenceOf(
  context: Context,
  { record }: Journal,
  error: unknown,
): Promise<string[]> {
  const secrets = [...(await readSecrets(context, record.id)).values()]
  const said = [messageOf(error), ...(error instanceof NodeError ? error.problems : [])]
  context.deps.log.warn('a step of a hook failed', { app: record.id, code: codeOf(error) })
  return said.map(text => redact(text, secrets)).filter(text => text !== '')
}

function problemsOf({ record }: Journal, point: HookPoint): readonly HookProblem[] {
  return (record.hookProblems ?? []).filter(each => each.point === point)
}

async function putProblems(
  journal: Journal,
  point: HookPoint,
  problems: readonly HookProblem[],
): Promise<void> {
  const { hookProblems: before = [], ...rest } = journal.record
  const after = [...before.filter(each => each.point !== point), ...problems]
  if (before.length === 0 && after.length === 0) return
  await journal.put(after.length === 0 ? rest : { ...rest, hookProblems: after })
}
