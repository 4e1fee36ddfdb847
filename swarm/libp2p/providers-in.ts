/** The providers in the answers of a lookup, in an order by chance: else the first ones of a list that all get would be dialled by all. */
import type { PeerInfo } from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import { shuffled } from '../../src/core/shuffled.ts'

/** Answer by answer, so that nobody waits for the end of the lookup. `random`: in [0, 1). */
export async function* providersIn(
  events: AsyncIterable<QueryEvent>,
  random: () => number,
): AsyncGenerator<PeerInfo> {
  for await (const event of events) {
    if (event.name === 'PROVIDER') yield* shuffled(event.providers, random)
  }
}
