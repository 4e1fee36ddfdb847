/** Runs a program inside a running container, over the REST interface. */
import { z } from 'zod'
import { HostError } from '../errors.ts'
import type { ContainerCommand, ExecResult } from '../ports.ts'
import { type PodmanApi, type PodmanRequest, refusal } from './podman-api.ts'
import { run } from './run.ts'

/** The end of what it wrote is what tells why it failed. */
const OUTPUT_BYTES_MAX = 64 * 1024
const HEAD_BYTES = 8

const created = z.object({ Id: z.string() })
const inspected = z.object({ ExitCode: z.int(), Running: z.boolean(), Pid: z.int() })

/** @throws HostError `HOST_COMMAND_FAILED`, `HOST_COMMAND_TIMEOUT` after the program was killed, `HOST_UNREACHABLE` */
export async function execInContainer(
  api: PodmanApi,
  container: string,
  { argv, user, timeoutMs, signal }: ContainerCommand,
): Promise<ExecResult> {
  const id = created.parse(
    await value(api, {
      method: 'POST',
      path: `/containers/${encodeURIComponent(container)}/exec`,
      body: {
        Cmd: argv,
        AttachStdout: true,
        AttachStderr: true,
        ...(user === undefined ? {} : { User: user }),
      },
    }),
  ).Id
  const late = AbortSignal.timeout(timeoutMs)
  const output = createOutput()
  try {
    const parts = await api.stream({
      method: 'POST',
      path: `/exec/${id}/start`,
      body: { Detach: false, Tty: false },
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    })
    for await (const part of parts) output.add(part)
  } catch (error) {
    await killSession(api, id)
    signal?.throwIfAborted()
    if (!late.aborted) throw error
    const what = `${argv.join(' ')} in ${container}`.slice(0, 500)
    throw new HostError(
      'HOST_COMMAND_TIMEOUT',
      `${what} did not end within ${timeoutMs} ms and was killed`,
      { cause: error },
    )
  }
  const { ExitCode } = await inspect(api, id)
  return { code: ExitCode, output: output.text() }
}

async function inspect(api: PodmanApi, id: string): Promise<z.output<typeof inspected>> {
  return inspected.parse(await value(api, { method: 'GET', path: `/exec/${id}/json` }))
}

async function value(api: PodmanApi, asked: PodmanRequest): Promise<unknown> {
  const { status, problem, body } = await api.ask(asked)
  if (status >= 400) throw refusal(asked, problem)
  return JSON.parse(body.toString('utf8'))
}

/** Podman cannot end a session. Its first process leads a group, and may belong to an id that only the namespace may signal. */
async function killSession(api: PodmanApi, id: string): Promise<void> {
  try {
    const { Running, Pid } = await inspect(api, id)
    if (Running && Pid > 1) await run(['podman', 'unshare', 'kill', '-KILL', '--', `-${Pid}`])
  } catch {
    // The container is gone, and the program with it; or Podman does not answer, which the caller is told anyway.
  }
}

interface Output {
  add(part: Uint8Array): void
  /** The end of all that was written, to either stream, in order. */
  text(): string
}

/**
 * Takes Podman's frames apart: a byte for the stream, three zeros, the length (big-endian), the bytes. Frames may be cut
 * anywhere. @see Docker Engine API, "Stream format" of attach
 */
export function createOutput(): Output {
  let head = Buffer.alloc(0)
  let left = 0
  let kept = Buffer.alloc(0)
  return {
    add(part) {
      let rest = Buffer.from(part.buffer, part.byteOffset, part.byteLength)
      while (rest.length > 0) {
        if (left === 0) {
          const want = HEAD_BYTES - head.length
          head = Buffer.concat([head, rest.subarray(0, want)])
          rest = rest.subarray(want)
          if (head.length < HEAD_BYTES) return
          left = head.readUInt32BE(4)
          head = Buffer.alloc(0)
        }
        const bytes = rest.subarray(0, left)
        left -= bytes.length
        rest = rest.subarray(bytes.length)
        kept = Buffer.concat([kept, bytes]).subarray(-OUTPUT_BYTES_MAX)
      }
    },
    text: () => kept.toString('utf8'),
  }
}
