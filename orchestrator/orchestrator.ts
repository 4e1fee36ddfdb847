/** Makes verified releases run and keeps them running: the one way in. */
import type { VerifiedRelease } from '../catalog/index.ts'
import { messageOf } from '../src/core/errors.ts'
import {
  type Context,
  createContext,
  type OrchestratorDeps,
  type OrchestratorOptions,
} from './context.ts'
import { OrchestratorError } from './errors.ts'
import type { Finding } from './findings.ts'
import { prepareFolders } from './folders.ts'
import type { Progress } from './images.ts'
import { install } from './install.ts'
import { type InstalledRelease, installedReleases } from './installed.ts'
import { createLocks } from './lock.ts'
import { restart, resume, start, stop, uninstall } from './operations.ts'
import { createPasses } from './passes.ts'
import { createProbationWatch } from './probation.ts'
import { createReconciler } from './reconcile.ts'
import { type AppRecord, readRecord, readRecords, requireRecord } from './record.ts'
import type { AppStatus } from './status.ts'
import type { Work } from './switch.ts'
import { createUpdateVerbs, type UpdateVerbs } from './update-verbs.ts'
import { createViewer } from './view.ts'

export interface InstallOptions {
  /** Called with a short sentence at each step. */
  readonly onProgress?: Progress
  /** Cancels as long as nothing was moved; after that the operation is finished. */
  readonly signal?: AbortSignal
  /** The installed number that the catalog allows to be replaced by the lower one of this release. */
  readonly stepsBackFrom?: number | undefined
  /** Versions that the owner may pin. */
  readonly onOffer?: readonly string[]
}

export interface Orchestrator extends UpdateVerbs {
  /** Reads the records and finishes, in the background, what was interrupted. @throws OrchestratorError `PATH_UNSUITABLE` */
  open(): Promise<void>
  /** Ends waiting; what is under way is finished at the next `open`. Apps go on running. */
  close(): Promise<void>
  /**
   * Fresh install, update (images first, then units; back to the old units when the new version does not get
   * healthy), or nothing when it is installed already. Data and secrets are kept in every case.
   * @throws OrchestratorError `PORT_TAKEN`, `PORT_REFUSED`, `IMAGE_MISMATCH`, `UNITS_REFUSED`, `APP_UNHEALTHY`,
   * `UPDATE_ROLLED_BACK`, `UPDATE_STEP_MISSING`, `RELEASE_OLDER`, `RELEASE_REJECTED`, `CONSENT_NEEDED` …; FileError
   * `DISK_FULL`; HostError
   */
  install(release: VerifiedRelease, options?: InstallOptions): Promise<AppStatus>
  /** @throws OrchestratorError `APP_NOT_INSTALLED`, `APP_UNHEALTHY` */
  start(id: string): Promise<AppStatus>
  /** @throws OrchestratorError `APP_NOT_INSTALLED`, `STOP_FAILED` */
  stop(id: string): Promise<AppStatus>
  restart(id: string): Promise<AppStatus>
  /** Removes everything but data and secrets. @throws OrchestratorError `APP_NOT_INSTALLED` */
  uninstall(id: string): Promise<AppStatus>
  /** Never throws for a host that does not answer: then `isStale` is true. */
  apps(): Promise<readonly AppStatus[]>
  /**
   * Every release that a record names: in place, before it, and on its way.
   * @throws OrchestratorError `RECORD_MALFORMED` when one record cannot be read
   */
  releases(): Promise<readonly InstalledRelease[]>
  /** The last lines of every component, oldest first. */
  logs(id: string, lines: number): Promise<readonly { component: string; text: string }[]>
  /** What is wrong with the machine; those of an app are in its status. */
  findings(): readonly Finding[]
  /** Repairs what is missing of apps that should run. Starts nothing that its owner stopped. */
  reconcile(): Promise<void>
}

export function createOrchestrator(
  deps: OrchestratorDeps,
  options: OrchestratorOptions,
): Orchestrator {
  const context = createContext(deps, options)
  const locks = createLocks()
  const closing = new AbortController()
  const viewer = createViewer(context)
  const probations = createProbationWatch(context, locks)
  const silent: Progress = () => {}
  const workWith = (onProgress = silent): Work => ({ onProgress, signal: closing.signal })

  /** Runs one operation under the app's lock and says how the app is afterwards. */
  async function operate(
    id: string,
    act: (context: Context, record: AppRecord, work: Work) => Promise<void>,
  ): Promise<AppStatus> {
    return await work(id, async () => {
      await act(context, await requireRecord(context, id), workWith())
    })
  }

  async function work(id: string, act: () => Promise<void>): Promise<AppStatus> {
    return await locks.run(id, async () => {
      await marked(id, act)
      return await viewer.app(id)
    })
  }

  /** While it lasts the app's state is the one of its operation. */
  async function marked(id: string, act: () => Promise<void>): Promise<void> {
    closing.signal.throwIfAborted()
    context.underWay.set(id, deps.clock.monotonicMs())
    context.stuck.delete(id)
    try {
      await act()
    } finally {
      context.underWay.delete(id)
    }
  }

  // After a purge that is finished here there is no status.
  const resumeOne = (id: string): Promise<void> =>
    locks.run(id, () =>
      marked(id, async () => await resume(context, await requireRecord(context, id), workWith())),
    )
  const reconciler = createReconciler(context, locks, resumeOne)
  const passes = createPasses(deps, closing.signal, () => reconciler.pass(closing.signal))

  return {
    async open() {
      await prepareFolders(options)
      if (options.mode === 'render') return await resumeAll(context, resumeOne)
      // Not awaited: an app that takes long to start must not keep the node from its other work.
      passes.begin()
    },
    async close() {
      closing.abort(new OrchestratorError('CLOSING', 'the node is stopping'))
      await passes.idle()
      await locks.idle()
    },
    async install(release, { onProgress, signal, stepsBackFrom, onOffer = [] } = {}) {
      const { id } = release.manifest
      return await work(id, async () => {
        // A damaged record is never taken for none: that would install over an app.
        const record = await readRecord(context, id)
        const records = await readRecords(context)
        const others = records.filter(each => each.id !== id)
        const terms = { cancel: signal ?? closing.signal, stepsBackFrom, onOffer }
        await install(context, record, others, release, workWith(onProgress), terms)
      })
    },
    start: id => operate(id, start),
    stop: id => operate(id, stop),
    restart: id => operate(id, restart),
    uninstall: id => operate(id, uninstall),
    ...createUpdateVerbs(context, locks, operate),
    apps: () => viewer.apps(),
    findings: () => context.findings.of(undefined),
    releases: () => installedReleases(context),
    logs: (id, lines) => viewer.logs(id, lines),
    async reconcile() {
      if (options.mode === 'render' || closing.signal.aborted) return
      await passes.run()
      await probations.tend(await readRecords(context), workWith())
    },
  }
}

/** Where nothing runs there are no passes, and nothing to wait for. */
async function resumeAll(
  context: Context,
  resumeOne: (id: string) => Promise<void>,
): Promise<void> {
  for (const { id, operation } of await readRecords(context)) {
    if (operation === undefined) continue
    try {
      await resumeOne(id)
    } catch (error) {
      const reason = messageOf(error)
      context.deps.log.error('interrupted operation not finished', { app: id, reason })
    }
  }
}
