/** Installing and updating: what is asked before anything moves, then the preparation, then the switch. */
import type { VerifiedRelease } from '../catalog/index.ts'
import { claimOwn } from './adopt/adopt.ts'
import { assertOurs } from './adopt/operate.ts'
import { compareVersions, type PermissionChange, permissionsOf } from './consent.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { runHooks } from './hooks/run-hooks.ts'
import { makeNext } from './next-generation.ts'
import { type Offer, planInstall } from './plan.ts'
import { prepareGeneration } from './prepare.ts'
import { type AppRecord, emptyRecord, withoutProblem, writeRecord } from './record.ts'
import { switchTo, type Work } from './switch.ts'
import { updateTerms } from './update-terms.ts'

export interface InstallTerms {
  /** Cancels while nothing has moved yet; later the operation is finished. */
  readonly cancel: AbortSignal
  /** The installed number that the catalog allows to be replaced by a lower one. */
  readonly stepsBackFrom: number | undefined
  /** Versions that the owner may pin. */
  readonly onOffer: readonly string[]
}

export async function install(
  context: Context,
  record: AppRecord | undefined,
  others: readonly AppRecord[],
  release: VerifiedRelease,
  work: Work,
  { cancel, stepsBackFrom, onOffer }: InstallTerms,
): Promise<void> {
  const { manifest, entry } = release
  const isLost = record?.committed === undefined && context.options.mode === 'systemd'
  const found = (isLost ? await claimOwn(context, release) : undefined) ?? record
  if (planInstall(found, offerOf(release), stepsBackFrom, onOffer) === 'nothing') return
  const before = found ?? emptyRecord(manifest.id, manifest.title)
  assertOurs(before, 'updated')
  await assertConsent(context, before, release)
  const wanted: AppRecord = {
    ...withoutProblem(before),
    title: manifest.title,
    // Installing what is not installed is the owner's wish to run it; an update never overrules a stop.
    desired: before.committed === undefined ? 'running' : before.desired,
    retained: false,
  }
  const signal = AbortSignal.any([work.signal, cancel])
  const next = await makeNext(context, wanted, work.signal, async journal => {
    const { record: preparing } = journal
    const to = await prepareGeneration(context, {
      ...{ release, record: preparing, others },
      ...work,
      signal,
    })
    const runs = before.committed !== undefined && before.desired === 'running'
    if (runs) await runHooks(context, journal, 'preUpdate', to, signal)
    return to
  })
  const { to, startedMs } = next
  const { number } = to
  context.deps.log.info('app prepared', { app: manifest.id, version: entry.version, number })
  await switchTo(context, { ...next.record, operation: { kind: 'switch', to, startedMs } }, work)
}

function offerOf({ entry, manifest }: VerifiedRelease): Offer {
  const { publisher, seq, version } = entry
  return { publisher, seq, version, manifest: entry.manifest.blake3, follows: manifest.update.from }
}

/**
 * A first install is itself the owner's agreement. An update that may do more waits, and what waits is on disk.
 * @throws OrchestratorError `CONSENT_NEEDED` with every new permission
 */
async function assertConsent(
  context: Context,
  record: AppRecord,
  { manifest, entry }: VerifiedRelease,
): Promise<void> {
  const { committed } = record
  const address = entry.manifest.blake3
  if (committed === undefined || record.approved === address) return
  const change = compareVersions(
    committed.permissions ?? [],
    permissionsOf(manifest),
    updateTerms(manifest).canGoBack,
  )
  if (!change.widens) return
  const { seq, version } = entry
  const { added, removed } = change
  await writeRecord(context, {
    ...record,
    pendingConsent: {
      ...{ seq, version, manifest: address },
      ...{ added: [...added], removed: [...removed] },
    },
  })
  throw consentNeeded(record.id, version, change)
}

function consentNeeded(
  id: string,
  version: string,
  { added }: PermissionChange,
): OrchestratorError {
  const wishes = added.filter(({ asks }) => asks).map(({ text }) => text)
  return new OrchestratorError(
    'CONSENT_NEEDED',
    `${id} ${version} waits for you, because it wants to: ${wishes.join('; ')}. To agree: "archy app approve ${id}"`,
    { problems: wishes },
  )
}

/**
 * The owner agrees to the release that waits, and to no other.
 * @throws OrchestratorError `CONSENT_NOT_ASKED`
 */
export async function approve(context: Context, record: AppRecord): Promise<void> {
  const { pendingConsent, ...rest } = record
  if (pendingConsent === undefined) {
    throw new OrchestratorError('CONSENT_NOT_ASKED', `no update of ${record.id} waits for you`)
  }
  await writeRecord(context, { ...rest, approved: pendingConsent.manifest })
}

/** The release that waited is no longer offered. */
export async function forgetConsent(context: Context, record: AppRecord): Promise<void> {
  const { pendingConsent, ...rest } = record
  if (pendingConsent !== undefined) await writeRecord(context, rest)
}
