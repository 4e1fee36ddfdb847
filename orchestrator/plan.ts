/** What an offered release and what a look at the host call for. Pure. */
import { OrchestratorError } from './errors.ts'
import type { AppRecord } from './record.ts'
import { highestInRange, isInRange } from './versions.ts'

export interface Offer {
  readonly publisher: string
  readonly seq: number
  readonly version: string
  /** Address of the manifest. */
  readonly manifest: string
  /** Range of the versions that it can follow directly; absent: all. */
  readonly follows?: string | undefined
}

/** The publisher of manifests on the owner's own disk: the one that others may replace. */
const LOCAL = 'local'

/**
 * `stepsBackFrom`: the installed number that the catalog allows to be replaced by a lower one.
 * `onOffer`: versions that the owner may pin, to name the step that an update lacks.
 * @throws OrchestratorError `RELEASE_OLDER`, `RELEASE_REJECTED`, `UPDATE_STEP_MISSING`
 */
export function planInstall(
  record: AppRecord | undefined,
  offer: Offer,
  stepsBackFrom?: number,
  onOffer: readonly string[] = [],
): 'install' | 'update' | 'nothing' {
  const committed = record?.committed
  const publisher = committed?.publisher ?? record?.publisher ?? offer.publisher
  if (record !== undefined && publisher !== offer.publisher && publisher !== LOCAL) {
    throw new OrchestratorError(
      'RELEASE_REJECTED',
      `${record.id} was installed from ${publisher}; a release of ${offer.publisher} never replaces it or gets its data`,
    )
  }
  if (record === undefined || committed === undefined) return 'install'
  if (offer.seq < committed.seq && publisher !== LOCAL && stepsBackFrom !== committed.seq) {
    throw new OrchestratorError(
      'RELEASE_OLDER',
      `${record.id} ${offer.version} (number ${offer.seq}) is older than the installed ${committed.spec.version} (number ${committed.seq})`,
    )
  }
  if (offer.seq === committed.seq && offer.manifest === committed.manifest) return 'nothing'
  const isLocal = offer.publisher === LOCAL
  // Manifests of the owner's own have no number: there the version says which one it was.
  const rejected = record.rejected.find(
    ({ seq, version }) => seq === offer.seq && (!isLocal || version === offer.version),
  )
  if (rejected !== undefined) {
    throw new OrchestratorError(
      'RELEASE_REJECTED',
      `${record.id} ${offer.version} was taken back on this machine before: ${rejected.reason}`,
    )
  }
  const isStepBack = stepsBackFrom === committed.seq
  if (!isStepBack) assertReachable(record.id, committed.spec.version, offer, onOffer)
  return 'update'
}

/** @throws OrchestratorError `UPDATE_STEP_MISSING` */
function assertReachable(
  id: string,
  installed: string,
  { version, follows }: Offer,
  onOffer: readonly string[],
): void {
  if (follows === undefined || isInRange(installed, follows)) return
  const step = highestInRange(onOffer, follows)
  const fix =
    step === undefined
      ? 'no such version is on offer'
      : `run "archy app pin ${id} ${step}", and "archy app unpin ${id}" once it runs`
  throw new OrchestratorError(
    'UPDATE_STEP_MISSING',
    `${id} ${version} cannot follow the installed ${installed}, only a version in "${follows}": ${fix}`,
  )
}
