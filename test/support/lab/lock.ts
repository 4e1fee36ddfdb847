/** A lock between processes that no death of its holder can leave behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LabError } from './errors.ts'

/**
 * Waits until this process is the only holder of the lock at `path`. The lock is a flock of a child that lives as long
 * as a pipe from us is open, so the kernel releases it however we die.
 * @throws LabError `LAB_COMMAND_FAILED`
 */
export async function openLock(path: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true })
  const child = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(child, 'exit')
  const first = await Promise.race([once(child.stdout, 'data'), ended])
  if (!Buffer.isBuffer(first[0])) {
    throw new LabError('LAB_COMMAND_FAILED', `flock ${path} ended with ${String(first[0])}`)
  }
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
