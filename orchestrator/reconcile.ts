/** One pass over all apps: look once, then bring each app nearer to what its owner wants. A look that fails changes nothing. */
import { messageOf } from '../src/core/errors.ts'
import { sweepAside } from './adopt/take-over.ts'
import { createBackOff } from './back-off.ts'
import type { Context } from './context.ts'
import type { NewFinding } from './findings.ts'
import { isHeld } from './hold.ts'
import type { Locks } from './lock.ts'
import { unmetNeed } from './needs.ts'
import type { Snapshot } from './observe.ts'
import { type AppRecord, type Generation, readAllRecords, readRecord } from './record.ts'
import { act } from './repair.ts'
import { isTriedAgain, planRepairs } from './repairs.ts'
import { dropInFindings, orphanFindings } from './strays.ts'
import { tidy } from './tidy.ts'
import { unenforcedLimits } from './unenforced.ts'
import { dropInFolders, enabledTargets, unitsDiffer } from './unit-store.ts'
import { createWatchfulEye, type WatchfulEye } from './watchful-eye.ts'

export interface Reconciler {
  /** Never throws for an app, nor for a host that does not answer. */
  pass(signal: AbortSignal): Promise<void>
}

/** Finishes the interrupted operation of an app, under its lock. */
export type Resume = (id: string) => Promise<void>

/** Interrupted operations that are worked on at the same time: more would only keep each other waiting on a small machine. */
const RESUMED_COUNT_MAX = 2

/** What one pass knows of the host. */
interface Look {
  readonly snapshot: Snapshot
  readonly enabled: ReadonlySet<string>
  /** Asked for at most once, and only when something is down or does not come up. */
  readonly networks: () => Promise<readonly string[]>
  readonly isTidying: boolean
}

export function createReconciler(context: Context, locks: Locks, resume: Resume): Reconciler {
  return new AppReconciler(context, locks, resume)
}

class AppReconciler implements Reconciler {
  readonly #context: Context
  readonly #locks: Locks
  readonly #resume: Resume
  readonly #backOff: ReturnType<typeof createBackOff>
  readonly #eye: WatchfulEye
  readonly #resuming = new Set<string>()
  /** Read once: they change with a setting of the machine and a boot. */
  #controllers: readonly string[] | undefined
  /** Generations whose limits were looked at. */
  #limitsOf = ''

  constructor(context: Context, locks: Locks, resume: Resume) {
    this.#context = context
    this.#locks = locks
    this.#resume = resume
    this.#backOff = createBackOff(context.deps.clock)
    this.#eye = createWatchfulEye(context)
  }

  async pass(signal: AbortSignal): Promise<void> {
    const { storage, options, findings } = this.#context
    const { records, damaged } = await readAllRecords(this.#context)
    findings.report('records', damaged.map(damagedFinding))
    for (const { id, operation } of records) if (operation !== undefined) this.#resumeLater(id)
    const snapshot = await this.#eye.look(records.flatMap(each => each.committed?.spec ?? []))
    if (snapshot === undefined) return
    const ids = damaged.map(({ id }) => id)
    await this.#noteLimits(records)
    findings.report('orphans', orphanFindings(records, ids, snapshot.containers))
    findings.report(
      'drop-ins',
      dropInFindings(
        records.map(({ id }) => id),
        await dropInFolders(options),
      ),
    )
    // Once per run of the node: a crash may have come between an operation's last word in the record and its tidying up.
    const isTidying = !storage.isTidy
    storage.isTidy = true
    const networks = once(() => this.#context.deps.podman.networkNames())
    const look = { snapshot, networks, isTidying, enabled: await enabledTargets(options) }
    for (const record of records) {
      if (signal.aborted) return
      await this.#app(record, look)
    }
  }

  /** Unit files are read for it only when another generation was put in place. */
  async #noteLimits(records: readonly AppRecord[]): Promise<void> {
    const generations = records.map(({ id, committed }) => `${id} ${committed?.number}`).join()
    if (generations === this.#limitsOf) return
    const { deps, findings } = this.#context
    try {
      this.#controllers ??= await deps.controllers()
      findings.report('limits', unenforcedLimits(records, this.#controllers))
      this.#limitsOf = generations
    } catch (error) {
      deps.log.warn('cgroup controllers not read', { reason: messageOf(error) })
    }
  }

  async #app({ id }: AppRecord, look: Look): Promise<void> {
    // Somebody works on it: what was seen may no longer be true.
    if (this.#locks.isBusy(id)) {
      this.#context.storage.isTidy &&= !look.isTidying
      return
    }
    try {
      await this.#locks.run(id, async () => {
        const record = await readRecord(this.#context, id)
        if (record === undefined || record.operation !== undefined) return
        if (look.isTidying) await tidy(this.#context, record)
        if (record.committed !== undefined) await this.#repair(record, record.committed, look)
        await sweepAside(this.#context, record)
      })
    } catch (error) {
      this.#context.deps.log.error('app not repaired', { app: id, reason: messageOf(error) })
    }
  }

  async #repair(record: AppRecord, generation: Generation, look: Look): Promise<void> {
    const { id } = record
    const { options, blocked, deps } = this.#context
    const { snapshot, enabled } = look
    const isDown = generation.spec.components.some(({ unit }) =>
      ['inactive', 'failed', 'not-found'].includes(snapshot.units.get(unit)?.active ?? 'not-found'),
    )
    const wants = record.desired === 'running' && isDown
    const needsNetworks = wants || isTriedAgain(generation, snapshot.units)
    const unmet = wants ? await unmetNeed(this.#context, generation.spec) : undefined
    if (unmet === undefined) blocked.delete(id)
    else blocked.set(id, unmet)
    const repairs = planRepairs(record, {
      units: snapshot.units,
      containers: snapshot.containers.filter(({ labels }) => labels['app.id'] === id),
      networks: needsNetworks
        ? await look.networks()
        : generation.spec.networks.map(({ name }) => name),
      areUnitsDifferent: await unitsDiffer(this.#context, generation),
      isEnabled: enabled.has(generation.target.name),
      isHeld: await isHeld(options, id),
      isBlocked: unmet !== undefined,
    })
    if (repairs.length === 0 || !this.#backOff.mayTry(id)) return
    this.#backOff.note(id)
    for (const repair of repairs) {
      deps.log.info('repairing an app', { app: id, repair })
      await act[repair](this.#context, generation)
    }
  }

  /** In the background: an app that takes long to start must not keep the others waiting. */
  #resumeLater(id: string): void {
    const key = `resume ${id}`
    if (this.#locks.isBusy(id) || this.#resuming.size >= RESUMED_COUNT_MAX) return
    if (!this.#backOff.mayTry(key)) return
    this.#backOff.note(key)
    this.#resuming.add(id)
    this.#resume(id)
      .catch((error: unknown) => {
        const reason = messageOf(error)
        this.#context.stuck.add(id)
        this.#context.deps.log.error('interrupted operation not finished', { app: id, reason })
      })
      .finally(() => this.#resuming.delete(id))
  }
}

function damagedFinding({ id, reason }: { id: string; reason: string }): NewFinding {
  return {
    ...{ code: 'record.malformed', app: id, severity: 'error' },
    text: `the record of ${id} cannot be read, so the app is left alone`,
    evidence: [reason],
    fix: 'put the file back from a backup; or move it away and install the app again, which keeps its data',
  }
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= read()
    return answer
  }
}
