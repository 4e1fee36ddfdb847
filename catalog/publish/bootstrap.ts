/** The peers that the catalog of an origin names as a first way into its network, as its publisher decides. Pure. */
import { BOOTSTRAP_COUNT_MAX, bootstrapProblem } from '../bootstrap.ts'
import { PublishError } from '../errors.ts'
import type { Draft } from './draft.ts'

export interface BootstrapChange {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/** The same draft when nothing changes. @throws PublishError `DECISION_REFUSED` */
export function changeBootstrap(draft: Draft, { add, remove }: BootstrapChange): Draft {
  if (draft.publisher !== null) {
    throw refused('this is the folder of a publisher, which signs no list of peers')
  }
  for (const address of remove) {
    if (!draft.bootstrap.includes(address)) throw refused(`${address} is not in the list`)
  }
  for (const address of add) {
    const problem = bootstrapProblem(address)
    if (problem !== undefined) throw refused(problem)
  }
  const kept = draft.bootstrap.filter(address => !remove.includes(address))
  const bootstrap = [...new Set([...kept, ...add])]
  if (bootstrap.length > BOOTSTRAP_COUNT_MAX) {
    throw refused(
      `the list would have ${bootstrap.length} addresses, at most ${BOOTSTRAP_COUNT_MAX} are allowed`,
    )
  }
  const isSame = bootstrap.join() === draft.bootstrap.join()
  return isSame ? draft : { ...draft, bootstrap }
}

function refused(why: string): PublishError {
  return new PublishError('DECISION_REFUSED', why)
}
