/** A P-256 key on a token, through `pkcs11-tool`: its public half, and signatures by it. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileBounded } from '../../../src/core/files.ts'
import type { PublicKey } from '../../trust/document.ts'
import { KEY_FILE_BYTES_MAX } from './key-file.ts'
import { runProgram } from './program.ts'
import { parsePublicKey } from './public-key.ts'

/**
 * The token signs the SHA-256 of the bytes: not one of the tokens that we tried takes a whole root in one call. The
 * code (PIN) is typed at the reader's own pad, or `pkcs11-tool` reads it from a variable: `pin-env=NAME`.
 * @throws PublishError `SIGNER_FAILED`
 */
export async function signByToken(name: string, text: string, bytes: Uint8Array): Promise<string> {
  return await inFolder(async folder => {
    const input = join(folder, 'digest')
    const output = join(folder, 'signature')
    await writeFile(input, createHash('sha256').update(bytes).digest())
    const settings = settingsOf(text)
    const pin = settings.get('pin-env')
    const argv = [
      ...[...tokenOf(settings), '--login'],
      ...option('--pin', pin === undefined ? undefined : `env:${pin}`),
      ...['--sign', '--mechanism', 'ECDSA', '--signature-format', 'openssl'],
      ...['--input-file', input, '--output-file', output],
    ]
    await runProgram(`the token of "${name}"`, argv, new Uint8Array())
    const signature = await readFileBounded(output, KEY_FILE_BYTES_MAX)
    return Buffer.from(signature ?? []).toString('hex')
  })
}

/** Needs no code. @throws PublishError `SIGNER_FAILED` @throws CatalogError `KEY_REFUSED` when it is not on P-256 */
export async function readTokenKey(name: string, text: string): Promise<PublicKey> {
  return await inFolder(async folder => {
    const output = join(folder, 'public')
    const what = ['--read-object', '--type', 'pubkey', '--output-file', output]
    const argv = [...tokenOf(settingsOf(text)), ...what]
    await runProgram(`the token of "${name}"`, argv, new Uint8Array())
    const bytes = await readFileBounded(output, KEY_FILE_BYTES_MAX)
    return parsePublicKey(`what the token of "${name}" gave`, bytes ?? new Uint8Array())
  })
}

function settingsOf(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(';').map(part => part.split('=', 2) as [string, string]))
}

function tokenOf(settings: ReadonlyMap<string, string>): readonly string[] {
  return [
    'pkcs11-tool',
    ...option('--module', settings.get('module')),
    ...option('--slot', settings.get('slot')),
    ...option('--token-label', settings.get('token')),
    ...option('--id', settings.get('id')),
    ...option('--label', settings.get('label')),
  ]
}

function option(flag: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [flag, value]
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-sign-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
