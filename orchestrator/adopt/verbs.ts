/** What an owner does with an app that ran here before this node did: the verbs of the orchestrator for it. */
import type { VerifiedRelease } from '../../catalog/index.ts'
import type { Context } from '../context.ts'
import { type AppRecord, readRecords, recordIds } from '../record.ts'
import type { AppStatus } from '../status.ts'
import type { Work } from '../switch.ts'
import { adopt } from './adopt.ts'
import { letGo } from './operate.ts'
import type { AdoptionReport, AdoptTerms, SignedRelease } from './plan.ts'
import { takeOver } from './take-over.ts'

export interface AdoptionVerbs {
  /**
   * Claims the containers of an app that runs already. Nothing is stopped, started, renamed or rewritten.
   * @throws OrchestratorError `ADOPTION_REFUSED` with every reason
   */
  adopt(release: SignedRelease, terms: AdoptTerms): Promise<AdoptionReport>
  /**
   * Replaces adopted containers by units of this node; goes back to them when the units do not get healthy.
   * @throws OrchestratorError `TAKE_OVER_REFUSED`, `TAKE_OVER_FAILED`, and as `install`
   */
  takeOver(release: VerifiedRelease): Promise<AppStatus>
  /** Forgets an adopted app and touches nothing of it. @throws OrchestratorError `ADOPTION_REFUSED` */
  letGo(id: string): Promise<void>
}

type Exclusively = <T>(id: string, work: () => Promise<T>) => Promise<T>
/** Runs one operation under the app's lock and says how the app is afterwards. */
type Operate = (
  id: string,
  act: (context: Context, record: AppRecord, work: Work) => Promise<void>,
) => Promise<AppStatus>

export function createAdoptionVerbs(
  context: Context,
  exclusively: Exclusively,
  operate: Operate,
): AdoptionVerbs {
  const recordOf = async (id: string) =>
    (await recordIds(context)).includes(id)
      ? (await readRecords(context)).find(each => each.id === id)
      : undefined
  return {
    adopt: (release, terms) =>
      exclusively(
        release.manifest.id,
        async () => await adopt(context, await recordOf(release.manifest.id), release, terms),
      ),
    takeOver: release =>
      operate(release.manifest.id, async (_, record, work) => {
        const others = (await readRecords(context)).filter(({ id }) => id !== record.id)
        await takeOver(context, record, others, release, work)
      }),
    letGo: id =>
      exclusively(id, async () => {
        const record = await recordOf(id)
        if (record !== undefined) await letGo(context, record)
      }),
  }
}
