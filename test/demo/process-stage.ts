/** The stage for machines without a lab: nodes are processes on loopback, and units are rendered and checked. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { NodeStatus } from '../../src/status.ts'
import { waitFor } from '../support/wait-for.ts'
import { configText, type DemoNode, type NodeSettings, type Stage } from './stage.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const READY_TIMEOUT_MS = 30_000

export async function openProcessStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-demo-'))
  const origin = { host: '127.0.0.1', port: await freePort() }
  const originUrl = `http://${origin.host}:${origin.port}/`
  const nodes = [
    new ProcessNode('node 1', join(folder, 'n1'), originUrl, await freePort()),
    new ProcessNode('node 2', join(folder, 'n2'), originUrl, await freePort()),
  ] as const
  return {
    mode: 'processes',
    runsApps: false,
    origin,
    nodes,
    crashName: 'is killed (kill -9)',
    async trust(rootFile) {
      for (const node of nodes) await node.trust(rootFile)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map(node => node.end('SIGTERM')))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

class ProcessNode implements DemoNode {
  readonly name: string
  readonly host = '127.0.0.1'
  readonly #folder: string
  readonly #originUrl: string
  readonly #listen: string
  #child: ChildProcess | undefined

  constructor(name: string, folder: string, originUrl: string, port: number) {
    this.name = name
    this.#folder = folder
    this.#originUrl = originUrl
    this.#listen = `/ip4/127.0.0.1/tcp/${port}`
  }

  get #environment(): NodeJS.ProcessEnv {
    const at = (name: string): string => join(this.#folder, name)
    return {
      ...process.env,
      XDG_CONFIG_HOME: at('config'),
      XDG_STATE_HOME: at('state'),
      XDG_DATA_HOME: at('data'),
      XDG_RUNTIME_DIR: at('run'),
    }
  }

  async trust(rootFile: string): Promise<void> {
    await mkdir(join(this.#folder, 'config/archipelago'), { recursive: true })
    await mkdir(join(this.#folder, 'run'), { recursive: true, mode: 0o700 })
    await copyFile(rootFile, join(this.#folder, 'config/archipelago/root.json'))
  }

  async configure(settings: NodeSettings): Promise<void> {
    await this.end('SIGTERM')
    const text = configText(settings, {
      originUrl: this.#originUrl,
      listen: this.#listen,
      mode: 'render',
    })
    await writeFile(join(this.#folder, 'config/archipelago/config.yaml'), text)
    await this.recover()
  }

  async recover(): Promise<void> {
    const log = await open(join(this.#folder, 'log'), 'a')
    this.#child = spawn(process.execPath, [MAIN, 'node', 'run'], {
      env: this.#environment,
      stdio: ['ignore', 'ignore', log.fd],
    })
    await log.close()
    await waitFor(`${this.name} to answer`, READY_TIMEOUT_MS, async () => {
      if (this.#child?.exitCode !== null) throw new Error(`${this.name} ended: ${await this.log()}`)
      return await this.status().catch(() => undefined)
    })
  }

  async archy(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      env: this.#environment,
      maxBuffer: 2 ** 24,
    })
    return stdout
  }

  async status(): Promise<NodeStatus> {
    return JSON.parse(await this.archy('status', '--json')) as NodeStatus
  }

  async log(): Promise<string> {
    return await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '')
  }

  reboot(): Promise<void> {
    return Promise.reject(new Error('a process cannot reboot'))
  }

  async crash(): Promise<void> {
    await this.end('SIGKILL')
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
