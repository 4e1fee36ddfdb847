/** The part of an app's status that is about updates: what it may do, what waits, and where the way back leads. Pure. */
import type { AppRecord } from './record.ts'
import type { AppStatus } from './status.ts'

type UpdateStatus = Pick<
  AppStatus,
  'permissions' | 'pendingConsent' | 'probation' | 'previousVersion' | 'setAside'
>

export function updateStatus(record: AppRecord): UpdateStatus {
  const { committed, previous, pendingConsent, probation, setAside } = record
  return {
    ...(committed?.permissions === undefined
      ? {}
      : { permissions: textsOf(committed.permissions) }),
    ...(pendingConsent === undefined
      ? {}
      : {
          pendingConsent: {
            version: pendingConsent.version,
            added: textsOf(pendingConsent.added),
            removed: textsOf(pendingConsent.removed),
          },
        }),
    ...(probation === undefined
      ? {}
      : { probation: { endsMs: probation.startedMs + probation.lengthMs } }),
    ...(previous === undefined ? {} : { previousVersion: previous.spec.version }),
    ...(setAside === undefined ? {} : { setAside }),
  }
}

function textsOf(permissions: readonly { readonly text: string }[]): readonly string[] {
  return permissions.map(({ text }) => text)
}
