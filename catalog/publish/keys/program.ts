/** Runs a program that signs: bytes in, bytes out, bounded in size and time, with its words for the person on failure. */
import { spawn } from 'node:child_process'
import { messageOf } from '../../../src/core/errors.ts'
import { PublishError } from '../../errors.ts'

/** A person finds the token, enters a code, touches it. */
const TIMEOUT_MS = 120_000
const OUTPUT_BYTES_MAX = 65_536
const WORDS_MAX = 400

/** @throws PublishError `SIGNER_FAILED` */
export async function runProgram(
  what: string,
  argv: readonly string[],
  input: Uint8Array,
): Promise<Uint8Array> {
  const [file = '', ...args] = argv
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
  const output = collect(child.stdout)
  const words = collect(child.stderr)
  const ended = new Promise<number | string>(resolve => {
    child.once('error', error => resolve(messageOf(error)))
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'))
  })
  // A program that does not read its input closes the pipe; its exit code says whether that was right.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code, bytes, text] = [await ended, await output, await words]
  if (code === 0) return bytes
  const said = Buffer.from(text).toString('utf8').trim().slice(-WORDS_MAX)
  throw new PublishError(
    'SIGNER_FAILED',
    `${what} ended with ${code}${said === '' ? '' : `: ${said}`}`,
  )
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length <= OUTPUT_BYTES_MAX) chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
