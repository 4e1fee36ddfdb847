/** One archy node as a process with folders of its own, and any `archy` command in the same surroundings. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createControlClient } from '../../src/http/control-client.ts'
import type { AppView, NodeStatus } from '../../src/status.ts'
import { makeTempFolder } from './temp-folder.ts'
import { waitFor } from './wait-for.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const READY_TIMEOUT_MS = 30_000
const COMMAND_TIMEOUT_MS = 30_000

export interface Outcome {
  /** The exit code; `undefined` when a signal ended it. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export class NodeProcess implements AsyncDisposable {
  readonly folder: string
  readonly configFile: string
  readonly stateFolder: string
  readonly #remove: () => PromiseLike<void>
  #child: ChildProcess | undefined

  private constructor(folder: string, remove: () => PromiseLike<void>) {
    this.folder = folder
    this.configFile = join(folder, 'config/archipelago/config.yaml')
    this.stateFolder = join(folder, 'state/archipelago')
    this.#remove = remove
  }

  static async make(): Promise<NodeProcess> {
    const temp = await makeTempFolder()
    const node = new NodeProcess(temp.path, () => temp[Symbol.asyncDispose]())
    await mkdir(join(node.folder, 'config/archipelago'), { recursive: true })
    await mkdir(node.stateFolder, { recursive: true })
    return node
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the node does not run')
    return this.#child.pid
  }

  async configure(text: string): Promise<void> {
    await writeFile(this.configFile, text)
  }

  /** Runs `archy` to its end, whatever its exit code. `environment` replaces some of the node's own. */
  async run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const options = {
      env: { ...this.#environment, ...environment },
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: 2 ** 24,
    }
    return await new Promise(resolve => {
      execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined
        resolve({ code, stdout, stderr })
      })
    })
  }

  /** Starts the node, behind `prefix` when given, and waits until it answers. */
  async start(prefix: readonly string[] = []): Promise<void> {
    const [file = '', ...args] = [...prefix, process.execPath, MAIN, 'node', 'run']
    const log = await open(join(this.folder, 'log'), 'a')
    const stdio = ['ignore', 'ignore', log.fd] as const
    const child = spawn(file, args, { env: this.#environment, stdio: [...stdio] })
    this.#child = child
    await log.close()
    await waitFor('the node to answer', READY_TIMEOUT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`the node ended: ${await this.log()}`)
      return await this.status().catch(() => undefined)
    })
  }

  /** What `archy status --json` prints, asked over the same socket without the cost of a process. */
  async status(): Promise<NodeStatus> {
    await using client = createControlClient(join(this.folder, 'run/archipelago/api.sock'))
    return (await client.call('GET', '/v1/status')) as NodeStatus
  }

  async app(id: string): Promise<AppView | undefined> {
    return (await this.status()).apps.find(app => app.id === id)
  }

  async log(): Promise<string> {
    return await readFile(join(this.folder, 'log'), 'utf8').catch(() => '')
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM')
    await this.#remove()
  }

  get #environment(): NodeJS.ProcessEnv {
    const at = (name: string): string => join(this.folder, name)
    return {
      ...process.env,
      XDG_CONFIG_HOME: at('config'),
      XDG_STATE_HOME: at('state'),
      XDG_DATA_HOME: at('data'),
      XDG_RUNTIME_DIR: at('run'),
    }
  }
}
