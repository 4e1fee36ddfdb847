/** Carries out what `planCollection` says: in batches, within a budget, one line in the log for each blob. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { CollectionPlan, Removal } from './collection.ts'
import { COLLECT_BATCH_COUNT } from './limits.ts'

export interface CollectionBudget {
  readonly bytes: number
  readonly ms: number
}

export interface CollectionReport extends CollectionPlan {
  /** What really went; all of the plan when nothing is in the way and the budget is enough. */
  readonly removed: readonly Removal[]
  readonly freedBytes: number
  /** False when the budget ended the pass: the next one goes on where this one stopped. */
  readonly isFinished: boolean
}

interface Deps {
  readonly clock: Clock
  readonly log: Log
  /** @throws StoreError `BLOB_IN_USE` when somebody came to use it since the plan was made */
  remove(digest: Digest): Promise<void>
}

export async function collect(
  { clock, log, remove }: Deps,
  plan: CollectionPlan,
  budget: CollectionBudget,
): Promise<CollectionReport> {
  const startedMs = clock.monotonicMs()
  const removed: Removal[] = []
  let freedBytes = 0
  let isFinished = true
  for (const [index, removal] of plan.removals.entries()) {
    const isSpent = freedBytes >= budget.bytes || clock.monotonicMs() - startedMs >= budget.ms
    if (isSpent) {
      isFinished = false
      break
    }
    if (index > 0 && index % COLLECT_BATCH_COUNT === 0) await clock.sleep(0)
    if (!(await removeUnlessUsed(remove, removal.digest))) continue
    const { digest, bytes, why, lastUsedMs } = removal
    log.info('blob collected', { digest, bytes, why, lastUsedMs })
    removed.push(removal)
    freedBytes += bytes
  }
  return { ...plan, removed, freedBytes, isFinished }
}

async function removeUnlessUsed(remove: Deps['remove'], digest: Digest): Promise<boolean> {
  try {
    await remove(digest)
    return true
  } catch (error) {
    if (codeOf(error) === 'BLOB_IN_USE') return false
    throw error
  }
}
