/** The serving rules of nodes in tests: everybody is served, and limits hold for peers on loopback as well. */
import type { ServingOptions } from '../../../swarm/index.ts'

export const TEST_SERVING: ServingOptions = {
  mode: 'always',
  ratio: 1,
  limitLan: true,
  schedule: [],
}

export const CALM = { isMetered: false, isSpaceLow: false }
