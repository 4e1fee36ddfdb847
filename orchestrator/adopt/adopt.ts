/** Claims an app that runs already: nothing is stopped, started, renamed or rewritten; only the record is new. */
import type { Context } from '../context.ts'
import { keepManifest } from '../manifests.ts'
import { type AppRecord, writeRecord } from '../record.ts'
import { assertSecretsFit, keepSecrets, pinData } from './keep.ts'
import {
  type AdoptionReport,
  type AdoptTerms,
  type Described,
  type Plan,
  refused,
  type SignedRelease,
} from './plan.ts'
import { planForeign } from './plan-foreign.ts'
import { planOwn } from './plan-own.ts'

/**
 * The record is written last: whatever a crash leaves before it is found, and is the same, the next time.
 * @throws OrchestratorError `ADOPTION_REFUSED` with every reason; nothing was changed then
 */
export async function adopt(
  context: Context,
  record: AppRecord | undefined,
  release: SignedRelease,
  terms: AdoptTerms,
): Promise<AdoptionReport> {
  const { id } = release.manifest
  if (record?.committed !== undefined || record?.operation !== undefined) {
    throw refused(id, [`${id} is installed already`])
  }
  const own = await planOwn(context, release)
  const plan = own ?? (await planForeign(context, release, terms))
  await assertSecretsFit(context, id, plan.secrets)
  if (!terms.isDryRun) await carryOut(context, release, plan)
  return plan.report
}

/**
 * Before anything is installed: units of this node for the app, whose record was lost. A new installation would make new
 * secrets, and lock the app out of the data that it has.
 * @returns the record, which is on disk then; `undefined` when there are no such units
 * @throws OrchestratorError `ADOPTION_REFUSED` when its secrets cannot be found
 */
export async function claimOwn(
  context: Context,
  release: Described,
): Promise<AppRecord | undefined> {
  const plan = await planOwn(context, release)
  if (plan === undefined) return undefined
  await assertSecretsFit(context, release.manifest.id, plan.secrets)
  await carryOut(context, release, plan)
  return plan.record
}

async function carryOut(context: Context, release: Described, plan: Plan): Promise<void> {
  const { id } = release.manifest
  await keepSecrets(context, id, plan.secrets)
  await pinData(context, id, plan.pins)
  await keepManifest(context, release, plan.record.committed?.number ?? 0)
  await writeRecord(context, plan.record)
  context.deps.log.info('app adopted', { app: id, kind: plan.report.kind })
}
