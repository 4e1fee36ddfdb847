/** What the owner decides about the version of an app: the verbs of the orchestrator beside its daily ones. */
import { type AdoptionVerbs, createAdoptionVerbs } from './adopt/verbs.ts'
import { configure, listSettings, type SettingChanges } from './configure.ts'
import type { Context } from './context.ts'
import { goBack } from './go-back.ts'
import { approve, forgetConsent } from './install.ts'
import type { Locks } from './lock.ts'
import { listRetained, purge, type Retained } from './purge.ts'
import { type AppRecord, readRecords, requireRecord } from './record.ts'
import { rotate } from './rotate.ts'
import type { SettingView } from './settings.ts'
import type { AppStatus } from './status.ts'
import type { Work } from './switch.ts'

export interface UpdateVerbs extends AdoptionVerbs {
  /** Agrees to the release that waits; it is installed the next time it is offered. @throws OrchestratorError `CONSENT_NOT_ASKED` */
  approve(id: string): Promise<AppStatus>
  /** The catalog calls for no change: what waited for the owner is no longer offered. */
  forgetConsent(id: string): Promise<void>
  /** Back to the generation before. @throws OrchestratorError `ROLLBACK_IMPOSSIBLE`, `UPDATE_ROLLED_BACK` when that does not run */
  rollback(id: string, options?: { readonly isForced?: boolean }): Promise<AppStatus>
  /** The settings that the app has, with the values that hold. @throws OrchestratorError `APP_NOT_INSTALLED` */
  settings(id: string): Promise<readonly SettingView[]>
  /** Sets them, or with `null` back to the default, and runs the app with them. @throws OrchestratorError `SETTING_INVALID`, as an update */
  configure(id: string, changes: SettingChanges): Promise<AppStatus>
  /** A new value for a secret. @throws OrchestratorError `ROTATION_REFUSED`, `ROTATION_UNDONE` */
  rotate(id: string, secret: string): Promise<AppStatus>
  /** What is kept of an app: data, secrets, settings. @throws OrchestratorError `APP_NOT_INSTALLED` when nothing is known of it */
  retained(id: string): Promise<Retained>
  /** Deletes all of that. @throws OrchestratorError `APP_INSTALLED` */
  purge(id: string): Promise<Retained>
}

/** Runs one operation under the app's lock and says how the app is afterwards. */
export type Operate = (
  id: string,
  act: (context: Context, record: AppRecord, work: Work) => Promise<void>,
) => Promise<AppStatus>

export function createUpdateVerbs(context: Context, locks: Locks, operate: Operate): UpdateVerbs {
  return {
    ...createAdoptionVerbs(context, (id, act) => locks.run(id, act), operate),
    approve: id => operate(id, approve),
    async forgetConsent(id) {
      await operate(id, forgetConsent)
    },
    rollback: (id, { isForced = false } = {}) =>
      operate(id, async (_, record, work) => {
        const others = (await readRecords(context)).filter(each => each.id !== id)
        await goBack(context, record, others, work, isForced)
      }),
    settings: async id => await listSettings(context, await requireRecord(context, id)),
    configure: (id, changes) =>
      operate(id, (_, record, work) => configure(context, record, changes, work)),
    rotate: (id, secret) => operate(id, (_, record, work) => rotate(context, record, secret, work)),
    retained: async id => await listRetained(context, await requireRecord(context, id)),
    purge: id =>
      locks.run(id, async () => {
        const record = await requireRecord(context, id)
        const retained = await listRetained(context, record)
        await purge(context, record)
        return retained
      }),
  }
}
