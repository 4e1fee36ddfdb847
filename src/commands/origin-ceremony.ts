/** `archy origin request | sign | merge | rotate | recover | stamp | doctor`: keys and signatures over the years. */
import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  examineOrigin,
  type Finding,
  openDestination,
  parseRecoveryText,
  publishOrigin,
  type Replaced,
  replaceKeys,
  signerOf,
} from '../../catalog/publish/index.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { publicationText } from './origin-publish.ts'
import { addRequestCommands } from './origin-request.ts'
import { PASSPHRASE_OPTION, type PassphraseOption, passphraseFrom } from './passphrase.ts'

const ROLES = ['root', 'targets', 'core', 'registry', 'snapshot', 'timestamp'] as const
type Role = (typeof ROLES)[number]

type KeyOptions = JsonOption & PassphraseOption & { readonly unencrypted: boolean }

/** Adds its commands to `archy origin`. */
export function addCeremonyCommands(origin: Command, context: OriginCommandContext): void {
  addRequestCommands(origin, context)
  keyOptions(origin.command('rotate <dir> <role>'))
    .description('give a role a new key, and publish what that changes')
    .action(async (dir: string, role: string, options: KeyOptions) => {
      await replace(context, dir, [roleFrom(role)], options)
    })
  const recover = origin.command('recover').description('after a theft or a loss')
  keyOptions(recover.command('fast-forward <dir>'))
    .description(
      'after a thief used up version numbers: new online keys, so that nodes forget them',
    )
    .addOption(
      new Option('--role <role>', 'whose key was stolen').choices([...ROLES]).default('timestamp'),
    )
    .action(async (dir: string, options: KeyOptions & { role: Role }) => {
      const roles = new Set<Role>(['timestamp', 'snapshot', options.role])
      await replace(context, dir, [...roles], options)
    })
  keyOptions(recover.command('from-sheet <dir>'))
    .description('with the key on the recovery sheet: new keys for root, targets and core')
    .requiredOption('--recovery-file <file>', 'a file with the line of the recovery sheet')
    .action(async (dir: string, options: KeyOptions & { recoveryFile: string }) => {
      const { key } = parseRecoveryText(await readFile(options.recoveryFile, 'utf8'))
      await replace(context, dir, ['root', 'targets', 'core'], options, signerOf(key))
    })
  addStamp(origin, context)
  origin
    .command('doctor <dir>')
    .description('days to every end, keys that are missing, and what does not fit together')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, { json }: JsonOption) => {
      const findings = await examineOrigin(dir, { nowMs: context.clock.nowMs() })
      const isWell = findings.every(({ level }) => level !== 'error')
      const view = { ok: isWell, findings }
      context.io.stdout(json ? `${JSON.stringify(view)}\n` : findingsText(findings))
      if (!isWell) context.fail()
    })
}

function addStamp(origin: Command, context: OriginCommandContext): void {
  origin
    .command('stamp <dir>')
    .description('sign the timestamp anew, every day, with the online keys alone')
    .option('--to <place>', 'also bring it there: a folder, or s3://bucket/prefix')
    .option('--endpoint <url>', "an S3-compatible store other than Amazon's")
    .option('--region <name>', 'the region of the bucket')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: StampOptions) => {
      const { io, clock, stopped } = context
      const { to } = options
      const destination = to === undefined ? undefined : await openDestination(to, options)
      try {
        const place = destination === undefined ? {} : { destination }
        const stamp = { nowMs: clock.nowMs(), isStamp: true, signal: stopped, ...place }
        const publication = await publishOrigin(dir, stamp)
        io.stdout(options.json ? `${JSON.stringify(publication)}\n` : publicationText(publication))
      } finally {
        await destination?.close()
      }
    })
}

interface StampOptions extends JsonOption {
  readonly to?: string
  readonly endpoint?: string
  readonly region?: string
}

function keyOptions(command: Command): Command {
  return command
    .option(...PASSPHRASE_OPTION)
    .option('--unencrypted', 'no passphrase for new keys', false)
    .option('--json', 'print JSON', false)
}

function roleFrom(text: string): Role {
  const role = ROLES.find(each => each === text)
  if (role !== undefined) return role
  throw new InvalidArgumentError(`the role is one of ${ROLES.join(', ')}`)
}

async function replace(
  { io, clock }: OriginCommandContext,
  dir: string,
  roles: readonly Role[],
  options: KeyOptions,
  recoveryKey?: ReturnType<typeof signerOf>,
): Promise<void> {
  const nowMs = clock.nowMs()
  const asked = passphraseFrom(io, options)
  let typed: Promise<string> | undefined
  const passphrase = async (): Promise<string> => {
    typed ??= asked === undefined ? Promise.resolve('') : asked()
    return await typed
  }
  const isGuarded = !options.unencrypted && asked !== undefined
  const protection = isGuarded ? { passphrase: await passphrase() } : undefined
  const signed = recoveryKey === undefined ? {} : { recoveryKey }
  const replaced = await replaceKeys(dir, roles, { nowMs, passphrase, protection, ...signed })
  const publication = await publishOrigin(dir, { nowMs, passphrase })
  const view = { ...replaced, ...publication }
  io.stdout(
    options.json
      ? `${JSON.stringify(view)}\n`
      : `${replacedText(replaced)}${publicationText(publication)}If it is served from another place: archy origin publish ${dir} --to PLACE\n`,
  )
}

function replacedText({ keys, root, recovery }: Replaced): string {
  const lines = Object.entries(keys).map(
    ([role, name]) => `${role} is signed by the new key ${name}.`,
  )
  if (root !== undefined) lines.push(`Root ${root} says so; nodes follow it by themselves.`)
  if (recovery !== undefined) {
    lines.push(
      '',
      'NEW RECOVERY SHEET: the old one is worth nothing now.',
      '',
      `    ${recovery}`,
      '',
    )
  }
  return `${lines.join('\n')}\n`
}

function findingsText(findings: readonly Finding[]): string {
  const mark = { ok: 'ok      ', warning: 'warning ', error: 'ERROR   ' } as const
  return findings
    .map(({ level, what, fix }) => `${mark[level]}${what}${fix === undefined ? '' : `; ${fix}`}\n`)
    .join('')
}
