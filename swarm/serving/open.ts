/** Opens the serving side of a node: the rules of its options, and what it gave before. */
import type { Clock } from '../../src/core/clock.ts'
import type { Log } from '../../src/core/log.ts'
import type { SwarmOptions } from '../options.ts'
import { openGiven, type StoredGiven } from './given.ts'
import type { Surroundings } from './policy.ts'
import { Serving } from './serving.ts'

interface Deps {
  readonly clock: Clock
  readonly log: Log
  surroundings(): Surroundings
}

export async function openServing(
  deps: Deps,
  { limits, serving, stateFolder }: SwarmOptions,
): Promise<{ readonly serving: Serving; readonly given: StoredGiven }> {
  const given = await openGiven(deps.log, stateFolder)
  const configured = {
    upload: limits.uploadBytesPerSecond ?? null,
    download: limits.downloadBytesPerSecond ?? null,
    origin: limits.originBytesPerSecond ?? null,
  }
  const log = deps.log.child('serving')
  return { given, serving: new Serving({ ...deps, log, given }, serving, configured) }
}
