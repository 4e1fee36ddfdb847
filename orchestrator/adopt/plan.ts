/** What an adoption is planned from and what it says in the end: types that its parts share. */
import type { SignedManifest, VerifiedRelease } from '../../catalog/index.ts'
import { OrchestratorError } from '../errors.ts'
import type { NewFinding } from '../findings.ts'
import type { AppRecord } from '../record.ts'
import type { Pin } from './match.ts'

/** What there is to know of an app; its images are not needed to claim what runs. */
export type Described = Pick<VerifiedRelease, 'entry' | 'manifest' | 'manifestBlob' | 'platform'>

/** As the catalog signs it. */
export interface SignedRelease extends Described {
  readonly manifest: SignedManifest
}

export interface AdoptTerms {
  /** Container by component, where the owner said it. */
  readonly named: ReadonlyMap<string, string>
  readonly isDryRun: boolean
}

/** What an adoption did, or would do. */
export interface AdoptionReport {
  readonly app: string
  readonly version: string
  /** `own`: units of this node whose record was lost. `foreign`: containers that somebody else made. */
  readonly kind: 'own' | 'foreign'
  readonly desired: 'running' | 'stopped'
  readonly containers: readonly {
    readonly component: string
    readonly name: string
    readonly unit?: string | undefined
  }[]
  readonly pins: readonly Pin[]
  /** Names of the secrets whose values were found; never the values. */
  readonly secrets: readonly string[]
  readonly findings: readonly NewFinding[]
}

export interface Plan {
  readonly record: AppRecord
  readonly secrets: ReadonlyMap<string, string>
  readonly pins: readonly Pin[]
  readonly report: AdoptionReport
}

export function refused(id: string, problems: readonly string[]): OrchestratorError {
  return new OrchestratorError(
    'ADOPTION_REFUSED',
    `${id} cannot be adopted: ${problems.join('; ')}`,
    { problems },
  )
}
