/** What must be true of an app on a node: running with its data, failed with a reason, stopped, or gone. */
import type { AppView } from '../../src/status.ts'
import type { GateApp } from './apps.ts'
import { tracesOf } from './host-look.ts'
import type { Machine } from './machine.ts'
import type { GateRun } from './run.ts'

/** Longer than the slowest start of any app here, by far, on a busy machine; a cell that takes this long has failed. */
export const REST_TIMEOUT_MS = 240_000
const STATE_TIMEOUT_MS = 60_000
/** An app that is started again and again must not be called anything else between two starts. */
const FAILED_FOR_MS = 8000

export function seenOf(view: AppView | undefined): string {
  if (view === undefined) return 'the app is not known'
  const { state, health, version, desired, error, note, next, components = [] } = view
  const parts = components.map(each => `${each.name} ${each.state}/${each.health}`).join(', ')
  const problem = error === undefined ? '' : ` ${error.code}: ${error.message}`
  const coming = next === undefined ? '' : ` → ${next.version}`
  return `${state} ${health} ${version}${coming} wanted ${desired} [${parts}] ${note ?? ''}${problem}`
}

/** Of an app that is bad the daemon says that starting it failed, which is what is expected of it. */
export async function expectAnswer(app: GateApp, answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    if (app.rests === 'running') throw error
  }
}

/** The app is at rest where its owner wants it to run; where that means running, what its user wrote is there. */
export async function expectRest(
  run: GateRun,
  machine: Machine,
  app: GateApp,
  version: string,
): Promise<string | undefined> {
  if (app.rests !== 'running') return await expectBad(machine, app)
  await machine.until(`${app.id} ${version} to run`, REST_TIMEOUT_MS, async () => {
    const view = await machine.view(app.id)
    const isThere = view?.state === 'running' && view.health === 'healthy'
    return isThere && view.version === version ? { done: true } : { seen: seenOf(view) }
  })
  await machine.until(`${app.id} on the host`, STATE_TIMEOUT_MS, async () => {
    const wrong = await wrongOnHost(machine, app, version)
    return wrong === undefined ? { done: true } : { seen: wrong }
  })
  await expectListed(machine, app, view => view?.state === 'running')
  await expectPage(machine, app, version)
  await expectNotes(run, machine, app)
  return undefined
}

/** What the owner is told of it: the error of the last operation, and the findings of now. */
function saidOf(view: AppView | undefined): readonly string[] {
  const { error, findings = [] } = view ?? {}
  return [
    ...findings.map(({ code, text, fix }) => `${code}: ${text}; ${fix}`),
    ...(error === undefined ? [] : [error.message]),
  ]
}

/** Failed, or up without being any use, and it says why; for long enough to see that it is not called running in between. */
async function expectBad(machine: Machine, app: GateApp): Promise<string> {
  const isBad = (view: AppView | undefined): boolean =>
    view?.state === 'failed' || (app.rests === 'unhealthy' && view?.health === 'unhealthy')
  let sinceMs: number | undefined
  const found = await machine.until(`${app.id} to fail`, REST_TIMEOUT_MS, async () => {
    const view = await machine.view(app.id)
    const said = saidOf(view).find(text => app.says?.test(text))
    const nowMs = performance.now()
    sinceMs = isBad(view) && said !== undefined ? (sinceMs ?? nowMs) : undefined
    const isSettled = sinceMs !== undefined && nowMs - sinceMs >= FAILED_FOR_MS
    return isSettled ? { done: said } : { seen: seenOf(view) }
  })
  await expectListed(machine, app, isBad)
  return found ?? ''
}

/** What is not as it must be, by systemd and Podman alone. */
async function wrongOnHost(
  machine: Machine,
  app: GateApp,
  version: string,
): Promise<string | undefined> {
  const look = await machine.host()
  const target = look.units.get(`app-${app.id}.target`)
  if (target !== 'active') return `app-${app.id}.target is ${target ?? 'not loaded'}`
  const running = look.containers.filter(each => each.app === app.id && each.state === 'running')
  const names = running.map(({ name }) => name).sort()
  if (names.join() !== app.containers.join()) {
    return `containers ${names.join(' ') || 'none'} instead of ${app.containers.join(' ')}`
  }
  const other = running.find(each => each.version !== version)
  return other === undefined ? undefined : `${other.name} is of version ${other.version}`
}

/** The other node gets the page, and it is of the version. */
export async function expectPage(machine: Machine, app: GateApp, version: string): Promise<void> {
  await machine.until(`the page of ${app.id}`, STATE_TIMEOUT_MS, async () => {
    const { status, text } = await machine.fetch(app.port, app.path)
    const isThere = status === 200 && (text !== '' || app.notes === app.path)
    return isThere ? { done: true } : { seen: `${status} ${text}` }
  })
  if (app.release === undefined) return
  const { text } = await machine.fetch(app.port, app.release)
  if (text.trim() !== version) throw new Error(`its page is of release ${text.trim()}`)
}

/** All that the user wrote is there, nothing twice, and a further note can be written. */
async function expectNotes(run: GateRun, machine: Machine, app: GateApp): Promise<void> {
  const { notes } = app
  if (notes === undefined) return
  const written = run.written(machine, app)
  await machine.until(`the notes of ${app.id}`, STATE_TIMEOUT_MS, async () => {
    const { status, text } = await machine.fetch(app.port, notes)
    if (status !== 200) return { seen: `${status} ${text}` }
    const lost = written.filter(note => text.split(note).length !== 2)
    return lost.length === 0 ? { done: true } : { seen: `not once there: ${lost.join(', ')}` }
  })
  const note = `<${machine.name}-${app.id}-${run.cells.iteration}-${written.length}>`
  const { status, text } = await machine.fetch(app.port, notes, note)
  if (status !== 201) throw new Error(`a note was answered with ${status} ${text}`)
  written.push(note)
}

/** Stopped by the word of the daemon, and nothing of it runs. */
export async function expectStopped(machine: Machine, app: GateApp): Promise<void> {
  const isStopped = (view: AppView | undefined): boolean =>
    view?.state === 'stopped' && view.desired === 'stopped'
  await machine.until(`${app.id} to be stopped`, STATE_TIMEOUT_MS, async () => {
    const view = await machine.view(app.id)
    return isStopped(view) ? { done: true } : { seen: seenOf(view) }
  })
  await expectListed(machine, app, isStopped)
  const look = await machine.host()
  const left = look.containers.filter(each => each.app === app.id).map(({ name }) => name)
  if (left.length > 0) throw new Error(`left: ${left.join(', ')}`)
  const units = [`app-${app.id}.target`, ...app.containers.map(name => `${name}.service`)]
  const active = units.filter(unit => (look.units.get(unit) ?? 'inactive') !== 'inactive')
  if (active.length > 0) throw new Error(`not inactive: ${active.join(', ')}`)
  const page = await machine.fetch(app.port, app.path).catch(() => undefined)
  if (page !== undefined) throw new Error(`its port still answers: ${page.status}`)
}

/** What its owner sees on the command line is what the daemon said. */
async function expectListed(
  machine: Machine,
  app: GateApp,
  isRight: (view: AppView | undefined) => boolean,
): Promise<void> {
  const view = await machine.listed(app.id)
  if (!isRight(view)) throw new Error(`"archy app list" says: ${seenOf(view)}`)
}

const isGone = (view: AppView | undefined): boolean =>
  view === undefined || view.state === 'retained'

/** Not installed any more, and nothing of it on the host. */
export async function expectGone(machine: Machine, app: GateApp): Promise<void> {
  await machine.until(`${app.id} to be gone`, STATE_TIMEOUT_MS, async () => {
    const view = await machine.view(app.id)
    if (!isGone(view)) return { seen: seenOf(view) }
    const traces = tracesOf(app.id, await machine.host())
    return traces.length === 0 ? { done: true } : { seen: traces.join(', ') }
  })
  await expectListed(machine, app, isGone)
}
