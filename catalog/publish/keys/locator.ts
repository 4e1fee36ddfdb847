/** Where a private key is, as one line of text, and how to get a signature from there. */
import { resolve } from 'node:path'
import { readFileBounded } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import type { PublicKey } from '../../trust/document.ts'
import { isSignedBy, keyIdOf, openKey } from '../../trust/key.ts'
import { KEY_FILE_BYTES_MAX, type KeyFile, parseKeyFile } from './key-file.ts'
import { runProgram } from './program.ts'
import { type Signer, signerOf } from './signer.ts'
import { readTokenKey, signByToken } from './token.ts'

/**
 * `file:keys/root.key`: a key file, relative to the origin. `pkcs11:module=/usr/lib/…so;id=01`: a P-256 key on a token,
 * through `pkcs11-tool`. `cmd:program arg`: any program that reads the bytes and writes the signature (hex or raw).
 * `none`: the key is elsewhere; only a ceremony reaches it.
 */
export type Locator = string

export interface KeyPlace {
  readonly name: string
  readonly locator: Locator
  readonly publicKey: PublicKey
}

/** @throws PublishError `KEY_MISSING`, `KEY_FILE_DAMAGED` */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const bytes = await readFileBounded(path, KEY_FILE_BYTES_MAX)
  if (bytes === undefined) throw new PublishError('KEY_MISSING', `there is no key file at ${path}`)
  return parseKeyFile(path, bytes)
}

/**
 * Whatever comes back is checked against the registered public key before it is used.
 * @throws PublishError `KEY_MISSING`, `LOCATOR_UNKNOWN`, `PASSPHRASE_WRONG`, `KEY_FILE_DAMAGED`
 */
export async function openSigner(
  folder: string,
  place: KeyPlace,
  passphrase: () => Promise<string>,
): Promise<Signer> {
  const { name, locator, publicKey } = place
  const [kind, rest] = splitLocator(locator)
  if (kind === 'none') {
    throw new PublishError('KEY_MISSING', `the key "${name}" is not on this machine`)
  }
  if (kind === 'file') {
    const file = await readKeyFile(resolve(folder, rest))
    if (file.keyId !== keyIdOf(publicKey)) {
      throw new PublishError('KEY_MISSING', `${rest} holds another key than "${name}"`)
    }
    return signerOf(await file.open(passphrase))
  }
  const sign = kind === 'cmd' ? signByProgram : signByToken
  return checked(name, publicKey, bytes => sign(name, rest, bytes))
}

/**
 * The public half, where the place itself can tell it: a key file, or a token.
 * @throws PublishError `KEY_MISSING`, `KEY_FILE_DAMAGED`, `LOCATOR_UNKNOWN`, `SIGNER_FAILED`, `KEY_REFUSED`
 */
export async function publicKeyAt(
  folder: string,
  name: string,
  locator: Locator,
): Promise<PublicKey | undefined> {
  const [kind, rest] = splitLocator(locator)
  if (kind === 'file') return (await readKeyFile(resolve(folder, rest))).publicKey
  return kind === 'pkcs11' ? await readTokenKey(name, rest) : undefined
}

/** @throws PublishError `LOCATOR_UNKNOWN` */
export function splitLocator(
  locator: Locator,
): readonly ['file' | 'pkcs11' | 'cmd' | 'none', string] {
  if (locator === 'none') return ['none', '']
  const match = /^(file|pkcs11|cmd):(.+)$/.exec(locator)
  const [, kind, rest = ''] = match ?? []
  if (kind === 'file' || kind === 'pkcs11' || kind === 'cmd') return [kind, rest]
  const shown = JSON.stringify(locator.slice(0, 80))
  throw new PublishError(
    'LOCATOR_UNKNOWN',
    `${shown} does not say where a key is: file:PATH, pkcs11:module=PATH;id=01, cmd:PROGRAM or none`,
  )
}

function checked(
  name: string,
  publicKey: PublicKey,
  sign: (bytes: Uint8Array) => Promise<string>,
): Signer {
  const verifier = openKey(publicKey)
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    async sign(bytes) {
      const sig = await sign(bytes)
      if (verifier !== undefined && isSignedBy(verifier, bytes, sig)) return sig
      throw new PublishError(
        'SIGNER_FAILED',
        `the signature of "${name}" is not by its registered key`,
      )
    },
  }
}

/** The words of the line are the arguments; no shell is between. */
async function signByProgram(name: string, line: string, bytes: Uint8Array): Promise<string> {
  const output = await runProgram(`the program of "${name}"`, line.split(/\s+/), bytes)
  const text = Buffer.from(output).toString('latin1').trim()
  return /^([0-9a-f]{2})+$/i.test(text) ? text.toLowerCase() : Buffer.from(output).toString('hex')
}
