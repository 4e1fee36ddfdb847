/** `archy origin key`: make keys, tell an origin where they are, and list them. */
import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import {
  encodeKeyFile,
  fingerprintWords,
  generateKey,
  type KeyType,
  keyIdOf,
  originFolder,
  type PublicKey,
  parsePublicKey,
  publicKeyAt,
  readKeyring,
  signerOf,
  withKey,
  writeKeyring,
} from '../../catalog/publish/index.ts'
import { NodeError } from '../core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../core/files.ts'
import { formatTable } from './format.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { PASSPHRASE_OPTION, type ProtectionOptions, protectionFrom } from './passphrase.ts'

class KeyError extends NodeError<'PUBLIC_KEY_MISSING'> {}

/** Far above any public key of ours. */
const PUBLIC_KEY_BYTES_MAX = 16_384

interface NewOptions extends JsonOption, ProtectionOptions {
  readonly type: KeyType
  readonly out: string
}

interface AddOptions extends JsonOption {
  readonly public?: string
}

export function keyCommand(context: OriginCommandContext): Command {
  const command = new Command('key').description('the keys that sign for an origin')
  command
    .command('new')
    .description('make a key file, and beside it a ".pub" file for whoever keeps the origin')
    .addOption(new Option('--type <type>').choices(['ed25519', 'p256']).default('ed25519'))
    .requiredOption('--out <file>', 'where the key goes')
    .option(...PASSPHRASE_OPTION)
    .option('--unencrypted', 'no passphrase', false)
    .option('--json', 'print JSON', false)
    .action(async (options: NewOptions) => await makeKey(context, options))
  command
    .command('add <dir> <name> <locator>')
    .description('tell the origin where a key is')
    .option(
      '--public <file>',
      'its public key: a ".pub", PEM or DER file; not needed for file: and pkcs11:',
    )
    .addHelpText('after', LOCATOR_HELP)
    .option('--json', 'print JSON', false)
    .action(async (dir: string, name: string, locator: string, options: AddOptions) => {
      await addKey(context, dir, name, locator, options)
    })
  command
    .command('list <dir>')
    .description('list the keys of the origin')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: JsonOption) => await listKeys(context, dir, options))
  return command
}

const LOCATOR_HELP = `
<locator> is one of
  file:PATH                                  a key file, relative to the origin
  pkcs11:module=PATH;id=01;pin-env=VARIABLE  a P-256 key on a token, through pkcs11-tool
  cmd:PROGRAM ARGUMENTS                      any program: bytes in, signature out
  none                                       the key is on another machine`

async function makeKey({ io }: OriginCommandContext, options: NewOptions): Promise<void> {
  const { type, out, json } = options
  const key = generateKey(type)
  const { publicKey, keyId } = signerOf(key)
  const bytes = encodeKeyFile(key, await protectionFrom(io, options))
  // Never over a file that is there: it may be the only copy of another key.
  await writeFile(out, bytes, { mode: 0o600, flag: 'wx' })
  await writeFileAtomic(`${out}.pub`, `${JSON.stringify(publicKey)}\n`)
  const words = fingerprintWords(keyId)
  const view = { file: out, publicFile: `${out}.pub`, keyId, words }
  const text = `Made ${out}; its words are "${words}".\nGive ${out}.pub to whoever keeps the origin, and read the words to each other.\n`
  io.stdout(json ? `${JSON.stringify(view)}\n` : text)
}

async function addKey(
  { io }: OriginCommandContext,
  dir: string,
  name: string,
  locator: string,
  options: AddOptions,
): Promise<void> {
  const folder = originFolder(dir)
  const publicKey =
    options.public === undefined
      ? await publicKeyAt(folder.root, name, locator)
      : await readPublic(options.public)
  if (publicKey === undefined) {
    throw new KeyError('PUBLIC_KEY_MISSING', 'give its public key with --public FILE')
  }
  const ring = withKey(await readKeyring(folder), name, locator, publicKey)
  await writeKeyring(folder, ring)
  const keyId = keyIdOf(publicKey)
  const words = fingerprintWords(keyId)
  const text = `The origin knows the key ${name} now; its words are "${words}". It signs nothing until a role names it.\n`
  io.stdout(options.json ? `${JSON.stringify({ name, locator, keyId, words })}\n` : text)
}

/** @throws KeyError `PUBLIC_KEY_MISSING` @throws CatalogError `KEY_REFUSED` */
async function readPublic(path: string): Promise<PublicKey> {
  const bytes = await readFileBounded(path, PUBLIC_KEY_BYTES_MAX)
  if (bytes === undefined) throw new KeyError('PUBLIC_KEY_MISSING', `there is no file ${path}`)
  return parsePublicKey(path, bytes)
}

async function listKeys({ io }: OriginCommandContext, dir: string, { json }: JsonOption) {
  const ring = await readKeyring(originFolder(dir))
  const keys = Object.entries(ring.keys).map(([name, { locator, public: publicKey }]) => {
    const keyId = keyIdOf(publicKey)
    return { name, locator, scheme: publicKey.scheme, keyId, words: fingerprintWords(keyId) }
  })
  const rows = keys.map(({ name, locator, scheme, words }) => [name, locator, scheme, words])
  io.stdout(json ? `${JSON.stringify(keys)}\n` : `${formatTable(rows)}\n`)
}
