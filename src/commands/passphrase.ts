/** Where a passphrase comes from: a file, or the person at the terminal. Never an argument: others can read those. */
import type { Protection } from '../../catalog/publish/index.ts'
import { codeOf, messageOf, NodeError } from '../core/errors.ts'
import { readFileBounded } from '../core/files.ts'
import type { CommandIo } from './io.ts'

export class PassphraseError extends NodeError<
  'PASSPHRASE_UNREADABLE' | 'PASSPHRASE_DIFFERS' | 'PASSPHRASE_WANTED'
> {}

export interface PassphraseOption {
  readonly passphraseFile?: string
}

export interface ProtectionOptions extends PassphraseOption {
  readonly unencrypted: boolean
}

export const PASSPHRASE_OPTION = [
  '--passphrase-file <file>',
  'read the passphrase from the first line of a file',
] as const

const PASSPHRASE_BYTES_MAX = 4096

/** A function that asks when it is called; `undefined` when there is nobody to ask. */
export function passphraseFrom(
  io: CommandIo,
  { passphraseFile = io.passphraseFile }: PassphraseOption,
): (() => Promise<string>) | undefined {
  if (passphraseFile !== undefined) return () => readPassphrase(passphraseFile)
  const { askSecret } = io
  return askSecret && (() => askSecret('Passphrase: '))
}

/** For a new key: typed twice. `undefined` when there is nobody to ask. @throws PassphraseError `PASSPHRASE_DIFFERS` */
async function newPassphrase(
  io: CommandIo,
  { passphraseFile = io.passphraseFile }: PassphraseOption,
): Promise<string | undefined> {
  if (passphraseFile !== undefined) return await readPassphrase(passphraseFile)
  if (io.askSecret === undefined) return undefined
  const first = await io.askSecret('New passphrase: ')
  const second = await io.askSecret('The same again: ')
  if (first === second) return first
  throw new PassphraseError('PASSPHRASE_DIFFERS', 'the two passphrases differ; nothing was made')
}

/** What guards new keys. @throws PassphraseError `PASSPHRASE_WANTED` when there is nobody to ask */
export async function protectionFrom(
  io: CommandIo,
  options: ProtectionOptions,
): Promise<Protection | undefined> {
  if (options.unencrypted) return undefined
  const passphrase = await newPassphrase(io, options)
  if (passphrase !== undefined) return { passphrase }
  throw new PassphraseError(
    'PASSPHRASE_WANTED',
    'new keys need a passphrase, and nobody is here to type one: give --passphrase-file FILE, set ' +
      'ARCHY_PASSPHRASE_FILE, or say --unencrypted',
  )
}

async function readPassphrase(path: string): Promise<string> {
  try {
    const bytes = await readFileBounded(path, PASSPHRASE_BYTES_MAX)
    const [line = ''] = Buffer.from(bytes ?? [])
      .toString('utf8')
      .split(/\r?\n/, 1)
    if (line !== '') return line
  } catch (cause) {
    const why = codeOf(cause) ?? messageOf(cause)
    throw new PassphraseError('PASSPHRASE_UNREADABLE', `${path} cannot be read: ${why}`, { cause })
  }
  throw new PassphraseError('PASSPHRASE_UNREADABLE', `${path} has no passphrase in its first line`)
}
