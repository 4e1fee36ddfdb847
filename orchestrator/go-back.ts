/** `archy app rollback`: the owner's way back to the generation before, over the same path as the automatic one. */
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { preflight } from './preflight.ts'
import { type AppRecord, type Generation, withoutProblem } from './record.ts'
import { rollBack, type Work } from './switch.ts'

/**
 * With the data that was saved before the update, as long as that is still kept; else with the data as it is now.
 * @throws OrchestratorError `APP_NOT_INSTALLED`, `ROLLBACK_IMPOSSIBLE`, `PORT_TAKEN`
 */
export async function goBack(
  context: Context,
  record: AppRecord,
  others: readonly AppRecord[],
  work: Work,
  isForced: boolean,
): Promise<void> {
  const { committed, previous, probation } = record
  if (committed === undefined) {
    throw new OrchestratorError('APP_NOT_INSTALLED', `the app ${record.id} is not installed`)
  }
  if (previous === undefined) throw impossible(record.id, 'no earlier version of it is kept')
  if (committed.terms?.canGoBack === false && !isForced) {
    throw impossible(
      record.id,
      `${committed.spec.version} declares that nothing older can run on its data; "--force" tries it anyhow`,
    )
  }
  await preflight(context, previous.spec, others, committed.spec.ports)
  await assertImages(context, record.id, previous)
  await rollBack(
    context,
    {
      ...withoutProblem(record),
      operation: {
        kind: 'rollback',
        from: committed,
        to: previous,
        reason: 'its owner went back',
        startedMs: context.deps.clock.nowMs(),
        cause: 'owner',
        ...(probation?.saved === undefined ? {} : { saved: probation.saved }),
      },
    },
    work,
  )
}

async function assertImages(
  { deps, options }: Context,
  id: string,
  { images, spec }: Generation,
): Promise<void> {
  if (options.mode === 'render') return
  for (const image of images) {
    const found = await deps.podman.image(image.name)
    if (found?.id === image.id) continue
    throw impossible(id, `the image ${image.name} of ${spec.version} is gone from this machine`)
  }
}

function impossible(id: string, reason: string): OrchestratorError {
  return new OrchestratorError('ROLLBACK_IMPOSSIBLE', `${id} cannot go back: ${reason}`)
}
