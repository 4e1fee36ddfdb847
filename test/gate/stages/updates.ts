/** Updates that cannot succeed: a version that does not get healthy, and a disk without space. */
import { expectRest, REST_TIMEOUT_MS, seenOf } from '../expect.ts'
import type { GateRun } from '../run.ts'

/** Less than what downloads leave free, and enough for the programs of the node to go on writing. */
const LEFT_MIB = 64

/** A new version that never gets healthy: each app is back at the one before, by itself, and says so. */
export async function rollback(run: GateRun): Promise<void> {
  const before = new Map(run.healthy.map(app => [app.id, run.releases.newest(app)]))
  await run.releases.publish(run.healthy, 'bad')
  await run.onAll(async machine => {
    await machine.refresh()
    await run.each(machine, 'rollback', run.healthy, async app => {
      const said = await machine.until(`${app.id} to be rolled back`, REST_TIMEOUT_MS, async () => {
        const view = await machine.view(app.id)
        const { code, message } = view?.error ?? {}
        const isBack = code === 'UPDATE_ROLLED_BACK' || code === 'RELEASE_REJECTED'
        return isBack ? { done: message } : { seen: seenOf(view) }
      })
      await expectRest(run, machine, app, before.get(app.id) ?? '')
      return said
    })
  })
}

/** The disk fills up before an update: it is refused by name, nothing that runs is touched, and it is made up for later. */
export async function fullDisk(run: GateRun): Promise<void> {
  const before = await versions(run)
  await run.onAll(async ({ node }) => {
    const free = Number(await node.ok('df --output=avail -B1 . | tail -n 1'))
    await node.ok(['fallocate', '-l', String(free - LEFT_MIB * 2 ** 20), 'filler'])
  })
  try {
    await run.releases.publish(run.healthy, 'good')
    await run.onAll(async machine => {
      await machine.refresh()
      await run.each(machine, 'full-disk', run.healthy, async app => {
        const version = before.get(`${machine.name}/${app.id}`) ?? ''
        await machine.until(`${app.id} to say DISK_FULL`, REST_TIMEOUT_MS, async () => {
          const view = await machine.view(app.id)
          return view?.error?.code === 'DISK_FULL' ? { done: true } : { seen: seenOf(view) }
        })
        await expectRest(run, machine, app, version)
        return `stays at ${version}`
      })
    })
  } finally {
    await run.onAll(async ({ node }) => void (await node.ok(['rm', '-f', 'filler'])))
  }
  await run.onAll(async machine => {
    await run.each(machine, 'full-disk', run.healthy, async app => {
      await machine.install(app.id)
      const version = run.releases.newest(app)
      await expectRest(run, machine, app, version)
      return `then goes to ${version}`
    })
  })
}

/** What runs now on each node, which after a rollback is not the newest. */
async function versions(run: GateRun): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  await run.onAll(async machine => {
    for (const { id, version = '' } of await machine.views()) {
      found.set(`${machine.name}/${id}`, version)
    }
  })
  return found
}
