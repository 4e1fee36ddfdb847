/** Rows that have a command of their own: the tree kernel, and the crowd of ten thousand in the model. */
import type { Part } from '../../support/bench/swarm/bench.ts'
import { rowsOfCommand } from '../../support/bench/swarm/command-rows.ts'

export const kernel: Part = {
  ids: ['tree-kernel'],
  async run(bench) {
    const rows = await rowsOfCommand(bench, 'test/bench/tree-kernel.ts', [])
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
  async run(bench) {
    const nodes = bench.isQuick ? '100' : '10000'
    const rows = await rowsOfCommand(bench, 'test/model/crowd.ts', ['--nodes', nodes])
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
