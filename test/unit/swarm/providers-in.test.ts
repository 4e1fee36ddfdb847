/** In which order the providers of a lookup are looked at. */
import type { PeerInfo } from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import { expect } from 'chai'
import { providersIn } from '../../../swarm/libp2p/providers-in.ts'

/** Only what is read of it. */
const answerOf = (...names: readonly string[]): QueryEvent =>
  ({ name: 'PROVIDER', providers: names.map(id => ({ id })) }) as unknown as QueryEvent
const other = { name: 'PEER_RESPONSE' } as unknown as QueryEvent

async function* inOrder(events: readonly QueryEvent[]): AsyncGenerator<QueryEvent> {
  yield* events
}

async function namesIn(random: () => number, ...events: readonly QueryEvent[]) {
  const names: unknown[] = []
  for await (const { id } of providersIn(inOrder(events), random) as AsyncIterable<PeerInfo>)
    names.push(id)
  return names
}

describe('the providers in the answers of a lookup', () => {
  it('come answer by answer, each answer in an order by chance', async () => {
    const events = [other, answerOf('a', 'b', 'c'), answerOf('d', 'e')]
    expect(await namesIn(() => 0, ...events)).to.deep.equal(['a', 'b', 'c', 'd', 'e'])
    expect(await namesIn(() => 0.99, ...events)).to.deep.equal(['c', 'b', 'a', 'e', 'd'])
  })
})
