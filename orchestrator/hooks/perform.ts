/** Does one step of a hook: closed verbs, in the app's own containers and data sets, never a program on the machine. */
import { join } from 'node:path'
import { type AppManifest, durationMs } from '../../catalog/index.ts'
import { appDataFolder, type Context } from '../context.ts'
import { OrchestratorError } from '../errors.ts'
import { containerName } from '../names.ts'
import type { ExecResult } from '../ports.ts'
import type { Generation } from '../record.ts'
import { ownValues } from '../units/app-values.ts'
import { fillIn, type Values } from '../units/values.ts'
import type { HookStep } from './memory.ts'

/** A program that is asked again and again costs a process each time. */
const ASK_INTERVAL_MS = 1000
/** One question of a `waitFor`, at most. */
const QUESTION_MS = 5000

export interface HookSubject {
  readonly manifest: AppManifest
  readonly generation: Pick<Generation, 'images'>
  readonly values: Values
  readonly signal: AbortSignal
}

/** @throws OrchestratorError `HOOK_FAILED` with what the program wrote; HostError */
export async function performStep(
  context: Context,
  step: HookStep,
  subject: HookSubject,
): Promise<void> {
  const timeoutMs = durationMs(step.timeout)
  if (step.exec !== undefined) await execStep(context, step.exec, timeoutMs, subject)
  if (step.render !== undefined) await renderStep(context, step.render, subject)
  if (step.copyIn !== undefined) await copyStep(context, step.copyIn, subject)
  if (step.waitFor !== undefined) await waitStep(context, step.waitFor, timeoutMs, subject)
}

async function execStep(
  context: Context,
  exec: NonNullable<HookStep['exec']>,
  timeoutMs: number,
  subject: HookSubject,
): Promise<void> {
  const { code, output } = await execIn(context, exec, timeoutMs, subject)
  if (code === 0) return
  throw new OrchestratorError('HOOK_FAILED', `${exec.argv[0]} ended with ${code}`, {
    problems: [output],
  })
}

async function execIn(
  { deps }: Context,
  { component, argv, user }: NonNullable<HookStep['exec']>,
  timeoutMs: number,
  { manifest, signal }: HookSubject,
): Promise<ExecResult> {
  return await deps.podman.exec(containerName(manifest.id, component), {
    ...{ argv, timeoutMs, signal },
    ...(user === undefined ? {} : { user: `${user.uid}:${user.gid}` }),
  })
}

async function renderStep(
  { deps, options }: Context,
  { data, path, content, owner, mode, overwrite }: NonNullable<HookStep['render']>,
  { manifest, values }: HookSubject,
): Promise<void> {
  const filled = fillIn(content, ownValues(manifest, values))
  if (filled.kind === 'secret') {
    throw new OrchestratorError('HOOK_FAILED', `${path} holds a secret, which data never may`)
  }
  const folder = join(appDataFolder(options, manifest.id), data)
  await deps.podman.placeFile(folder, {
    ...{ path, owner, mode, overwrite },
    text: filled.text,
  })
}

async function copyStep(
  { deps }: Context,
  { component, from, to }: NonNullable<HookStep['copyIn']>,
  { manifest, generation }: HookSubject,
): Promise<void> {
  const image = generation.images.find(each => each.component === component)
  if (image === undefined) {
    throw new OrchestratorError('HOOK_FAILED', `there is no image of ${component}`)
  }
  await deps.podman.copyFromImage(image.id, from, containerName(manifest.id, component), to)
}

async function waitStep(
  context: Context,
  { tcp, http, exec }: NonNullable<HookStep['waitFor']>,
  timeoutMs: number,
  subject: HookSubject,
): Promise<void> {
  const { endpoints, clock } = context.deps
  const deadlineMs = clock.monotonicMs() + timeoutMs
  let last = ''
  const isThere = async (): Promise<boolean> => {
    if (tcp !== undefined) return await endpoints.answersTcp(tcp.port, QUESTION_MS)
    if (http !== undefined) return await endpoints.answersHttp(http.port, http.path, QUESTION_MS)
    if (exec === undefined) return true
    const { code, output } = await execIn(context, exec, Math.min(QUESTION_MS, timeoutMs), subject)
    last = output
    return code === 0
  }
  while (!(await isThere())) {
    if (clock.monotonicMs() >= deadlineMs) {
      throw new OrchestratorError('HOOK_FAILED', `not there after ${timeoutMs / 1000} s`, {
        problems: last === '' ? [] : [last],
      })
    }
    await clock.sleep(ASK_INTERVAL_MS, subject.signal)
  }
}
