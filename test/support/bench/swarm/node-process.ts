/** Starts and asks the swarm nodes of a benchmark; each has a folder of its own, gone when it is closed. */
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { NODE_ARGUMENTS } from '../../../../orchestrator/index.ts'
import type { Explanation } from '../../../../swarm/explanation.ts'
import type { SwarmStatus } from '../../../../swarm/status.ts'
import type { Bench } from './bench.ts'
import type {
  FetchAnswer,
  FetchSettings,
  NodeReady,
  NodeSubjectSettings,
  WantedBlob,
} from './node-subject.ts'
import { SubjectProcess } from './subject-process.ts'
import { type Usage, usageOf } from './usage.ts'

const SUBJECT = join(import.meta.dirname, 'node-subject.ts')

export interface NodeOptions extends NodeSubjectSettings {
  /** The certificate of an origin over HTTPS. */
  readonly certificateFile?: string
  /** What is in the folder when the node ends is left there, to start it again. */
  readonly keepFolder?: boolean
  readonly nodeArguments?: readonly string[]
}

export interface BenchNode extends AsyncDisposable {
  readonly pid: number
  readonly peerId: string
  readonly address: string
  /** What its store held when it was opened. */
  readonly heldBytes: number
  readonly process: SubjectProcess
  usage(): Usage
  import(blob: WantedBlob & { readonly path: string }): Promise<void>
  fetch(blob: WantedBlob, settings?: FetchSettings): Promise<FetchAnswer>
  untilPeers(count: number): Promise<void>
  status(): Promise<SwarmStatus>
  /** How its fetch of the blob went. */
  explain(blob: WantedBlob): Promise<Explanation>
}

export async function startBenchNode(
  { running }: Pick<Bench, 'running'>,
  name: string,
  options: NodeOptions,
): Promise<BenchNode> {
  const { certificateFile, keepFolder = false, nodeArguments = [], ...settings } = options
  const { subject, ready } = await SubjectProcess.start<NodeReady>(running, name, {
    file: process.execPath,
    args: [...NODE_ARGUMENTS, ...nodeArguments, SUBJECT, JSON.stringify(settings)],
    env: {
      // As `systemd/archy.service` has it.
      NODE_COMPILE_CACHE: join(dirname(settings.folder), 'compiled'),
      ...(certificateFile !== undefined && { NODE_EXTRA_CA_CERTS: certificateFile }),
    },
  })
  return {
    ...ready,
    pid: subject.pid,
    process: subject,
    usage: () => usageOf(subject.pid),
    import: ({ digest, sizeBytes, path }) => subject.ask('import', { digest, sizeBytes, path }),
    fetch: ({ digest, sizeBytes }, settings = {}) =>
      subject.ask('fetch', { digest, sizeBytes, ...settings }),
    untilPeers: count => subject.ask('untilPeers', { count }),
    status: () => subject.ask('status'),
    explain: ({ digest, sizeBytes }) => subject.ask('explain', { digest, sizeBytes }),
    async [Symbol.asyncDispose]() {
      await subject[Symbol.asyncDispose]()
      if (!keepFolder) await rm(settings.folder, { recursive: true, force: true })
    },
  }
}
