/** Rows that have a command of their own: the tree kernel, and the crowd of ten thousand in the model. */
import type { Part } from '../../support/bench/swarm/bench.ts'
import { rowsOfCommand } from '../../support/bench/swarm/command-rows.ts'

export const kernel: Part = {
  ids: ['tree-kernel'],
  async run() {
    const rows = await rowsOfCommand('test/bench/tree-kernel.ts', [])
    const first = rows[0]
    if (first === undefined) throw new Error('no rows')
    return [
      {
        id: 'tree-kernel',
        must: first.must,
        measured: rows.map(({ id, measured }) => `${id}: ${measured}`).join('; '),
        ok: rows.every(({ ok }) => ok),
      },
    ]
  },
}

export const simulatedCrowd: Part = {
  ids: ['crowd-simulated'],
  async run({ isQuick }) {
    const nodes = isQuick ? '1000' : '10000'
    const rows = await rowsOfCommand('test/model/crowd.ts', ['--nodes', nodes])
    return [
      {
        id: 'crowd-simulated',
        must: `${nodes} simulated nodes: ${rows.map(({ id, must }) => `${id} ${must}`).join(', ')}`,
        measured: rows.map(({ id, measured }) => `${id} ${measured}`).join(', '),
        ok: rows.every(({ ok }) => ok),
      },
    ]
  },
}
