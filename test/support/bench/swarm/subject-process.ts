/**
 * A process that is measured: it is asked by JSON lines and answers by JSON lines, whatever language it is written in.
 * It says `{"ready": …}` first, then answers `{"id","ask","with"}` by `{"id","answer"}` or `{"id","error"}`; `{"event": …}`
 * lines may come between. It must end when its standard input ends, so that none outlives a benchmark that was killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const READY_TIMEOUT_MS = 60_000
const END_TIMEOUT_MS = 10_000
const STDERR_CHARACTERS_MAX = 4_000

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (reason: Error) => void
}

export interface SubjectCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What still runs: a benchmark that is interrupted ends it. */
export type Running = Set<{ kill(): Promise<void> }>

export class SubjectProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #waiting = new Map<number, Waiting>()
  readonly #ready = Promise.withResolvers<unknown>()
  #askCount = 0
  #stderr = ''
  /** Called for each event line. */
  onEvent: (event: unknown) => void = () => {}

  private constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    if (child.stdout === null || child.stderr === null) throw new Error('no pipes')
    createInterface({ input: child.stdout }).on('line', line => this.#take(line))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS_MAX)
    })
    // A process that ended takes nothing any more; `exit` says so.
    child.stdin?.on('error', () => {})
    child.once('error', error => this.#fail(error))
    child.once('exit', (code, signal) => {
      this.#fail(new Error(`${name} ended (${code ?? signal}): ${this.#stderr.trim()}`))
    })
  }

  /** Resolves, when it said that it is ready, to it and what it said. */
  static async start<T>(
    running: Running,
    name: string,
    { file, args, env }: SubjectCommand,
  ): Promise<{ readonly subject: SubjectProcess; readonly ready: T }> {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    const subject = new SubjectProcess(name, child)
    running.add(subject)
    child.once('exit', () => running.delete(subject))
    try {
      const ready = await within(subject.#ready.promise, READY_TIMEOUT_MS, `${name} to be ready`)
      return { subject, ready: ready as T }
    } catch (error) {
      await subject[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} does not run`)
    return this.#child.pid
  }

  async ask<T>(what: string, given: unknown = {}): Promise<T> {
    const id = ++this.#askCount
    const answer = Promise.withResolvers<unknown>()
    if (this.#hasEnded) throw new Error(`${this.#name} ended: ${this.#stderr.trim()}`)
    this.#waiting.set(id, answer)
    this.#child.stdin?.write(`${JSON.stringify({ id, ask: what, with: given })}\n`)
    return (await answer.promise) as T
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Ends it at once, and resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return
    const ended = once(this.#child, 'exit')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS)
    this.#child.kill('SIGCONT')
    this.#child.stdin?.end()
    await ended
    clearTimeout(timer)
  }

  get #hasEnded(): boolean {
    const { exitCode, signalCode, pid } = this.#child
    return exitCode !== null || signalCode !== null || pid === undefined
  }

  #take(line: string): void {
    const message = JSON.parse(line) as Record<string, unknown>
    if ('ready' in message) this.#ready.resolve(message.ready)
    else if ('event' in message) this.onEvent(message.event)
    else {
      const waiting = this.#waiting.get(message.id as number)
      this.#waiting.delete(message.id as number)
      if ('error' in message) waiting?.reject(new Error(`${this.#name}: ${String(message.error)}`))
      else waiting?.resolve(message.answer)
    }
  }

  #fail(error: Error): void {
    this.#ready.reject(error)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`waited ${timeoutMs / 1000} s for ${what}`)),
    timeoutMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
