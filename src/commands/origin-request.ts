/** `archy origin request | sign | merge`: signatures of several holders, each on a machine of their own. */
import { readFile, writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import {
  createRoleRequest,
  createRootRequest,
  encodeRequest,
  fingerprintWords,
  hashOfRequest,
  judge,
  mergeIntoOrigin,
  openSigner,
  originFolder,
  parseRequest,
  parseSignature,
  REQUEST_BYTES_MAX,
  readKeyFile,
  readKeyring,
  requestText,
  SIGNATURE_BYTES_MAX,
  type SigningRequest,
  signerOf,
  signRequest,
} from '../../catalog/publish/index.ts'
import { readFileBounded, writeFileAtomic } from '../core/files.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { PASSPHRASE_OPTION, type PassphraseOption, passphraseFrom } from './passphrase.ts'

const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const

interface Assignment {
  readonly role: (typeof TOP)[number]
  readonly names: readonly string[]
  readonly threshold: number
}

export function addRequestCommands(origin: Command, context: OriginCommandContext): void {
  const { io } = context
  const request = origin.command('request').description('what the holders of a role are to sign')
  request
    .command('create <dir> <role>')
    .description('write a signing request for the next root, or for what publishing would sign')
    .requiredOption('--out <file>', 'where the request goes')
    .option(
      '--set <role=names:threshold>',
      'for root: who signs a role from now on, such as root=alice,bob,carol:2',
      collect,
      [],
    )
    .option('--json', 'print JSON', false)
    .action(async (dir: string, role: string, options: CreateOptions) => {
      const made = await create(context, dir, role, options.set)
      await writeFileAtomic(options.out, encodeRequest(made))
      const text = `${requestText(made)}\n\nWrote ${options.out}. Each holder: archy origin sign ${options.out} --key FILE --out NAME.sig\n`
      io.stdout(options.json ? `${JSON.stringify(viewOf(made))}\n` : text)
    })
  request
    .command('show <file>')
    .description('say what a request changes, and the words that name it')
    .option('--json', 'print JSON', false)
    .action(async (file: string, { json }: JsonOption) => {
      const read = await readRequest(file)
      io.stdout(json ? `${JSON.stringify(viewOf(read))}\n` : `${requestText(read)}\n`)
    })
  addSign(origin, context)
  origin
    .command('merge <dir> <request> <signatures...>')
    .description('put signatures together; refuses below the threshold of old and new holders')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, file: string, names: string[], { json }: JsonOption) => {
      const read = await readRequest(file)
      const signatures = await Promise.all(names.map(readSignature))
      const { file: written } = await mergeIntoOrigin(dir, read, signatures)
      const { refused } = judge(read, signatures)
      const text = [
        ...refused.map(each => `not counted: ${each}`),
        `${read.role} ${read.document.version} has all its signatures. Next: archy origin publish ${dir}`,
        '',
      ]
      io.stdout(json ? `${JSON.stringify({ file: written, refused })}\n` : text.join('\n'))
    })
}

interface CreateOptions extends JsonOption {
  readonly out: string
  readonly set: readonly Assignment[]
}

interface SignOptions extends JsonOption, PassphraseOption {
  readonly key?: string
  readonly origin?: string
  readonly name?: string
  readonly out: string
}

function addSign(origin: Command, { io }: OriginCommandContext): void {
  origin
    .command('sign <request>')
    .description('sign a request, on any machine')
    .option('--key <file>', 'a key file')
    .option(
      '--origin <dir>',
      'with --name: a key that the keyring of an origin knows, such as a token',
    )
    .option('--name <name>', 'its name in the keyring')
    .requiredOption('--out <file>', 'where the signature goes')
    .option(...PASSPHRASE_OPTION)
    .option('--json', 'print JSON', false)
    .action(async (file: string, options: SignOptions, self: Command) => {
      const { key, origin: dir, name, out, json } = options
      const request = await readRequest(file)
      const passphrase = passphraseFrom(io, options) ?? (() => Promise.resolve(''))
      if ((key === undefined) === (dir === undefined || name === undefined)) {
        self.error('error: give either --key, or --origin with --name')
      }
      const signer =
        key === undefined
          ? await signerIn(dir ?? '', name ?? '', passphrase)
          : signerOf(await (await readKeyFile(key)).open(passphrase))
      io.stderr(`${requestText(request)}\n\n`)
      const signature = await signRequest(request, signer)
      await writeFile(out, `${JSON.stringify(signature)}\n`)
      const words = fingerprintWords(signature.request)
      io.stdout(json ? `${JSON.stringify({ out, words })}\n` : `Signed "${words}"; wrote ${out}.\n`)
    })
}

async function signerIn(dir: string, name: string, passphrase: () => Promise<string>) {
  const folder = originFolder(dir)
  const ring = await readKeyring(folder)
  const found = Object.hasOwn(ring.keys, name) ? ring.keys[name] : undefined
  if (found === undefined) throw new InvalidArgumentError(`the keyring has no key "${name}"`)
  const place = { name, locator: found.locator, publicKey: found.public }
  return await openSigner(folder.root, place, passphrase)
}

async function create(
  { clock }: OriginCommandContext,
  dir: string,
  role: string,
  assignments: readonly Assignment[],
): Promise<SigningRequest> {
  if (role !== 'root') return await createRoleRequest(dir, role, clock.nowMs())
  const ring = await readKeyring(originFolder(dir))
  const changes = assignments.map(({ role: changed, names, threshold }) => {
    const keys = names.map(name => {
      const found = Object.hasOwn(ring.keys, name) ? ring.keys[name] : undefined
      if (found === undefined) throw new InvalidArgumentError(`the keyring has no key "${name}"`)
      return found.public
    })
    return [changed, { keys, threshold }] as const
  })
  return await createRootRequest(dir, Object.fromEntries(changes), clock.nowMs())
}

function collect(text: string, before: readonly Assignment[]): readonly Assignment[] {
  const match = /^([a-z]+)=([a-z0-9,-]+):(\d{1,2})$/.exec(text)
  const role = TOP.find(each => each === match?.[1])
  if (match === null || role === undefined) {
    throw new InvalidArgumentError('write it as root=alice,bob,carol:2')
  }
  const names = (match[2] ?? '').split(',')
  return [...before, { role, names, threshold: Number(match[3]) }]
}

function viewOf(request: SigningRequest) {
  const sha256 = hashOfRequest(request)
  const { role, document, quorums } = request
  const { version, expires } = document
  const who = quorums.map(({ who: name, threshold, keys }) => ({
    who: name,
    threshold,
    keys: Object.keys(keys),
  }))
  return { role, version, expires, sha256, words: fingerprintWords(sha256), quorums: who }
}

async function readRequest(file: string): Promise<SigningRequest> {
  const bytes = await readFileBounded(file, REQUEST_BYTES_MAX)
  return parseRequest(file, bytes ?? (await readFile(file)))
}

async function readSignature(file: string) {
  const bytes = await readFileBounded(file, SIGNATURE_BYTES_MAX)
  return [file, parseSignature(file, bytes ?? (await readFile(file)))] as const
}
