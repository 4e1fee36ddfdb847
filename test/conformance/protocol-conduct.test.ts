/** What docs/protocol.md says of messages and offences is what the program counts. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { digestOf } from '../../src/core/digest.ts'
import * as limits from '../../swarm/limits.ts'
import { POINTS } from '../../swarm/serving/conduct.ts'
import { dataCost, messageCost } from '../../swarm/serving/message-cost.ts'

const digest = digestOf(Buffer.from('blob'))

async function section(): Promise<string> {
  const text = await readFile('docs/protocol.md', 'utf8')
  return /## Blobs: what is expected of a peer\n(.*?)\n## /s.exec(text)?.[1] ?? ''
}

describe('docs/protocol.md on the conduct of peers', () => {
  it('says what messages cost', async () => {
    const text = (await section()).replaceAll(/\s+/g, ' ')
    const number = (value: number): string => value.toLocaleString('en')
    const ask = (length: number): number =>
      messageCost({ kind: 'request', id: 1, digest, offset: 0, length }, 47)
    const whoHas = (count: number): number =>
      messageCost({ kind: 'who-has', digests: Array.from({ length: count }, () => digest) }, 0)
    const have = { kind: 'have', digest, pieceCount: 1, holding: { kind: 'all' } } as const
    for (const words of [
      `WHO_HAS ${whoHas(0)} unit and ${whoHas(1) - whoHas(0)} for each blob`,
      `HAVE ${messageCost(have, 63)} and ${messageCost(have, 64) - messageCost(have, 63)} for every 64 bytes`,
      `16,384 bytes ${ask(16_383)}, DATA of less than 1,024 bytes ${dataCost(1023)}`,
      `${number(limits.MESSAGE_COST_PER_SECOND)} units a second`,
      `${number(limits.GOODPUT_BYTES_PER_SECOND_MIN)} bytes a second taken over ${number(limits.GOODPUT_WINDOW_MS)} ms`,
      `no HELLO within ${number(limits.HELLO_TIMEOUT_MS)} ms`,
      `at all for ${number(limits.UNANSWERED_MS)} ms`,
    ]) {
      expect(text).to.include(words)
    }
    expect([ask(16_384), dataCost(1024)]).to.deep.equal([1, 0])
  })

  it('says what each offence counts', async () => {
    const rows = [...(await section()).matchAll(/^\| ([\d.]+) +\|/gm)]
    const points = Object.values(POINTS).filter(each => each > 0)
    expect(rows.map(([, count]) => Number(count))).to.deep.equal(points.sort((a, b) => b - a))
  })
})
