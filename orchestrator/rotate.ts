/** `archy app rotate`: a new value for one secret. The old one is kept until the app is healthy with the new one. */

import type { AppManifest } from '../catalog/index.ts'
import { messageOf } from '../src/core/errors.ts'
import { suggestion } from '../src/core/schema.ts'
import { appFacts } from './app-facts.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { type Journal, openJournal, putOperation } from './journal.ts'
import { manifestOf } from './manifests.ts'
import { type AppRecord, type Generation, problemOf, withoutProblem } from './record.ts'
import { startApp, stopApp } from './run-app.ts'
import { forgetOldSecret, replaceSecret, restoreSecret } from './secret-files.ts'
import { generateSecret } from './secret-value.ts'
import { giveSecrets } from './secrets.ts'
import type { Work } from './switch.ts'

/**
 * Only for secrets that the manifest declares to be changeable, of an app that runs: nothing else proves the new value.
 * @throws OrchestratorError `APP_NOT_INSTALLED`, `ROTATION_REFUSED`, `ROTATION_UNDONE` once the old value is back
 */
export async function rotate(
  context: Context,
  record: AppRecord,
  secret: string,
  work: Work,
): Promise<void> {
  const { committed } = record
  if (committed === undefined) {
    throw new OrchestratorError('APP_NOT_INSTALLED', `the app ${record.id} is not installed`)
  }
  const { secrets } = await manifestOf(context, record.id, committed)
  const declared = Object.hasOwn(secrets, secret) ? secrets[secret] : undefined
  if (declared === undefined) {
    const near = suggestion(secret, Object.keys(secrets))
    throw refused(`${record.id} has no secret "${secret}"${near}`)
  }
  if (declared.rotate !== 'onDemand') {
    throw refused(`${record.id} declares that it does not work with another ${secret}`)
  }
  if (record.desired === 'stopped') {
    throw refused(`start ${record.id} first: only an app that runs can prove a new value`)
  }
  const startedMs = context.deps.clock.nowMs()
  const operation = { kind: 'rotate' as const, secret, startedMs }
  await resumeRotation(context, { ...withoutProblem(record), operation }, work)
}

/** Goes on, or back, with a `rotate` operation. @throws OrchestratorError `ROTATION_UNDONE` */
export async function resumeRotation(
  context: Context,
  record: AppRecord,
  work: Work,
): Promise<void> {
  const { operation, committed } = record
  if (operation?.kind !== 'rotate' || committed === undefined) return
  const { secret } = operation
  const journal = await openJournal(context, record)
  const manifest = await manifestOf(context, record.id, committed)
  if (operation.undoneFor === undefined) {
    try {
      const declared = manifest.secrets[secret]?.generate ?? { kind: 'password', length: 32 }
      await runWith(context, { manifest, committed, work }, () =>
        replaceSecret(context, record.id, secret, () =>
          generateSecret(declared.kind, declared.length, context.deps.randomBytes),
        ),
      )
      await forgetOldSecret(context, record.id, secret)
      return await end(journal)
    } catch (error) {
      work.signal.throwIfAborted()
      context.deps.log.warn('rotation of a secret is undone', { app: record.id, secret })
      await putOperation(journal, 'rotate', { undoneFor: messageOf(error) })
    }
  }
  await undo(context, journal, { manifest, committed, work }, secret)
}

interface Subject {
  readonly manifest: AppManifest
  readonly committed: Generation
  readonly work: Work
}

async function undo(
  context: Context,
  journal: Journal,
  subject: Subject,
  secret: string,
): Promise<void> {
  const { id, operation } = journal.record
  const reason = operation?.kind === 'rotate' ? operation.undoneFor : undefined
  let after = ''
  try {
    await runWith(context, subject, () => restoreSecret(context, id, secret))
  } catch (error) {
    subject.work.signal.throwIfAborted()
    after = `; the old value is back but: ${messageOf(error)}`
  }
  const failure = new OrchestratorError(
    'ROTATION_UNDONE',
    `${id} has its old ${secret} again: ${reason}${after}`,
  )
  await end(journal, problemOf(failure))
  throw failure
}

/** Stops the app, changes the value here and in Podman, and starts the app with it. */
async function runWith(
  context: Context,
  { manifest, committed, work }: Subject,
  change: () => Promise<void>,
): Promise<void> {
  const isLive = context.options.mode === 'systemd'
  if (isLive) await stopApp(context, committed.spec, work.signal)
  await change()
  if (!isLive) return
  await giveSecrets(context, manifest, await appFacts(context, manifest, committed.config ?? {}))
  await startApp(context, committed.spec, work.signal, committed.terms?.healthyForMs)
}

async function end(journal: Journal, problem?: AppRecord['problem']): Promise<void> {
  const { operation: _, ...rest } = journal.record
  await journal.put(problem === undefined ? rest : { ...rest, problem })
}

function refused(message: string): OrchestratorError {
  return new OrchestratorError('ROTATION_REFUSED', message)
}
