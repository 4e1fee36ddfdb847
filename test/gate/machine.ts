/** One node of the gate: its daemon by the control socket and the command line, its host by systemd and Podman. */
import type { AppView } from '../../src/status.ts'
import { archy } from '../support/archy-node.ts'
import type { LabNode } from '../support/lab/index.ts'
import { type HostLook, lookAtHost } from './host-look.ts'
import { Shared } from './shared.ts'

const SOCKET = '/run/user/1000/archipelago/api.sock'
const RECORDS = '.local/state/archipelago/orchestrator/apps'
/** Longer than the longest operation of any app here, also on a busy machine. */
const CALL_TIMEOUT_S = 280
/** After the crash of a daemon systemd waits two seconds; loading the program takes one or two. */
const READY_TIMEOUT_MS = 120_000
/** A look costs the node a question to Podman: more often would take the time from what is looked at. */
const POLL_MS = 1500
/** An operation that is not seen by then has ended, or was refused. */
const MIDWAY_WAIT_S = 20
/** What was not begun so long after the first one waits for it, and is not worth waiting for. */
const MIDWAY_SPREAD_S = 2

export type Verb = 'start' | 'stop' | 'restart'

/** Operations that were under way when the daemon or the power was cut, by app. */
export type Midway = ReadonlyMap<string, string>

export class Machine {
  readonly node: LabNode
  /** The machine that looks at the pages of this one. */
  readonly peer: LabNode
  readonly #views: Shared<readonly AppView[]>
  readonly #list: Shared<readonly AppView[]>
  readonly #host: Shared<HostLook>

  constructor(node: LabNode, peer: LabNode) {
    this.node = node
    this.peer = peer
    this.#views = new Shared(() => this.#call<readonly AppView[]>('GET', 'apps'))
    this.#list = new Shared(
      async () => JSON.parse(await archy(node, 'app', 'list', '--json')) as readonly AppView[],
    )
    this.#host = new Shared(() => lookAtHost(node))
  }

  get name(): string {
    return this.node.name
  }

  install(id: string): Promise<unknown> {
    return this.#call('POST', `apps/${id}/install`, {})
  }

  act(verb: Verb, id: string): Promise<unknown> {
    return this.#call('POST', `apps/${id}/${verb}`)
  }

  uninstall(id: string): Promise<unknown> {
    return this.#call('DELETE', `apps/${id}`)
  }

  /** Asks the origin for a newer catalog now. */
  refresh(): Promise<unknown> {
    return this.#call('POST', 'refresh')
  }

  /** What the daemon says of the app; `undefined` for one that it does not know. */
  async view(id: string): Promise<AppView | undefined> {
    return (await this.#views.get()).find(app => app.id === id)
  }

  views(): Promise<readonly AppView[]> {
    return this.#views.get()
  }

  /** The same as its owner sees it: `archy app list --json`. */
  async listed(id: string): Promise<AppView | undefined> {
    return (await this.#list.get()).find(app => app.id === id)
  }

  host(): Promise<HostLook> {
    return this.#host.get()
  }

  /** Asks `probe` until it gives an answer; on timeout the error says what was seen last. */
  async until<T>(
    what: string,
    timeoutMs: number,
    probe: () => Promise<{ readonly done: T } | { readonly seen: string }>,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs
    let seen = 'nothing'
    for (;;) {
      try {
        const found = await probe()
        if ('done' in found) return found.done
        seen = found.seen
      } catch (error) {
        seen = error instanceof Error ? error.message : String(error)
      }
      if (performance.now() > deadline) {
        throw new Error(`waited ${timeoutMs / 1000} s for ${what}; seen: ${seen.slice(0, 600)}`)
      }
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
    }
  }

  /** Waits until the daemon answers. */
  async ready(): Promise<void> {
    await this.until(`the daemon of ${this.name}`, READY_TIMEOUT_MS, async () => ({
      done: await this.#call('GET', 'apps'),
    }))
  }

  /** Restarts the daemon in order, which also makes systemd forget earlier crashes. */
  async restartDaemon(): Promise<void> {
    await this.node.ok('systemctl --user restart archy', { timeoutMs: READY_TIMEOUT_MS })
    await this.ready()
  }

  async killDaemon(): Promise<void> {
    await this.node.ok('systemctl --user reset-failed archy; systemctl --user kill -s KILL archy')
  }

  /**
   * Waits until the journals of `count` apps show an operation, or those that have begun are all that will, and then for
   * `pauseMs`. With `kill` the daemon dies in the same breath.
   */
  async midway(count: number, pauseMs: number, kill: boolean): Promise<Midway> {
    const ending = kill ? 'systemctl --user kill -s KILL archy' : 'true'
    const script = `
      set +e
      cd ${RECORDS}
      systemctl --user reset-failed archy
      seen() { jq -r 'select(.operation) | "\\(.id) \\(.operation.kind)"' ./*.json 2>/dev/null; }
      end=$((SECONDS + ${MIDWAY_WAIT_S}))
      while [ $SECONDS -le $end ]; do
        hit=$(seen | wc -l)
        if [ $hit -ge ${count} ]; then break; fi
        if [ $hit -gt 0 ] && [ $end -gt $((SECONDS + ${MIDWAY_SPREAD_S})) ]; then end=$((SECONDS + ${MIDWAY_SPREAD_S})); fi
        sleep 0.03
      done
      sleep ${pauseMs / 1000}
      seen
      ${ending}`
    const lines = (await this.node.ok(script, { timeoutMs: 60_000 })).split('\n')
    return new Map(
      lines.flatMap(line => {
        const [id = '', kind = ''] = line.split(' ')
        return id === '' ? [] : [[id, kind] as const]
      }),
    )
  }

  /** The body and status of a page of this node, as the other node gets it. */
  async fetch(
    port: number,
    path: string,
    post?: string,
  ): Promise<{ status: number; text: string }> {
    const url = `http://${this.node.ip}:${port}${path}`
    const body = post === undefined ? [] : ['-X', 'POST', '--data-binary', post]
    const type = ['-H', 'Content-Type: text/plain']
    const argv = ['curl', '-sS', '-m', '15', '-w', '\n%{http_code}', ...body, ...type, url]
    const { stdout, stderr } = await this.peer.exec(argv)
    const end = stdout.lastIndexOf('\n')
    const status = Number(stdout.slice(end + 1))
    if (status === 0) throw new Error(`${url}: ${stderr.trim()}`)
    return { status, text: stdout.slice(0, end) }
  }

  /** @throws Error with the daemon's answer when that is an error, or when there is no daemon. */
  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const argv = ['curl', '-sS', '-m', String(CALL_TIMEOUT_S), '--unix-socket', SOCKET]
    const json = ['-H', 'Content-Type: application/json', '--data-binary', JSON.stringify(body)]
    argv.push('-X', method, '-w', '\n%{http_code}', ...(body === undefined ? [] : json))
    const { stdout, stderr } = await this.node.exec([...argv, `http://archy/v1/${path}`], {
      timeoutMs: CALL_TIMEOUT_S * 1000 + 5000,
    })
    const end = stdout.lastIndexOf('\n')
    const status = Number(stdout.slice(end + 1))
    if (status >= 200 && status < 300) return JSON.parse(stdout.slice(0, end)) as T
    const why = status === 0 ? stderr.trim() : stdout.slice(0, end)
    throw new Error(`${method} ${path}: ${why.slice(0, 400)}`)
  }
}
