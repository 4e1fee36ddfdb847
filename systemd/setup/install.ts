/** Carries a plan out, and keeps the list of what was made, so that an uninstall takes back that and nothing else. */
import { rm } from 'node:fs/promises'
import { z } from 'zod'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { InstallerError } from './account.ts'
import type { Machine } from './machine.ts'
import {
  type Action,
  actionText,
  type Made,
  madeBy,
  type Plan,
  planInstall,
  planUninstall,
  type Wishes,
} from './plan.ts'

const LIST_BYTES_MAX = 1_048_576
/** Making the user is a round of its own, because everything else needs its id. */
const ROUNDS_MAX = 2

const made = z.array(
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('user') }),
    z.strictObject({
      kind: z.literal('ids'),
      file: z.enum(['subuid', 'subgid']),
      range: z.string(),
    }),
    z.strictObject({ kind: z.literal('linger') }),
    z.strictObject({ kind: z.literal('file'), path: z.string() }),
    z.strictObject({ kind: z.literal('sysctl'), key: z.string(), before: z.number() }),
    z.strictObject({ kind: z.literal('socket') }),
    z.strictObject({ kind: z.literal('node') }),
  ]),
)

export interface InstallTerms {
  readonly machine: Machine
  /** Where the list of what was made is kept. */
  readonly listFile: string
  readonly isDryRun: boolean
  readonly say: (line: string) => void
}

/** @returns how many things it changed. @throws InstallerError */
export async function install(terms: InstallTerms, wishes: Wishes): Promise<number> {
  const { machine, say, isDryRun } = terms
  let count = 0
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const plan = planInstall(wishes, await machine.look())
    refuse(plan)
    for (const action of plan.actions) await perform(terms, wishes.user, action)
    count += plan.actions.length
    if (plan.actions[0]?.kind !== 'add-user' || isDryRun) {
      for (const hint of plan.hints) say(`next: ${hint}`)
      if (isDryRun && plan.actions[0]?.kind === 'add-user') {
        say(`then: ids, lingering, limits and time to stop for ${wishes.user}`)
      }
      break
    }
  }
  if (count === 0) say('nothing to do')
  return count
}

/** @returns how many things it changed. @throws InstallerError */
export async function uninstall(terms: InstallTerms, user: string): Promise<number> {
  const list = await readList(terms.listFile)
  const plan = planUninstall(user, list, await terms.machine.look())
  for (const action of plan.actions) {
    terms.say(actionText(action, user))
    if (!terms.isDryRun) await terms.machine.act(action)
  }
  for (const hint of plan.hints) terms.say(`note: ${hint}`)
  if (!terms.isDryRun) await rm(terms.listFile, { force: true })
  if (plan.actions.length === 0) terms.say('nothing to do')
  return plan.actions.length
}

function refuse({ refusals }: Plan): void {
  if (refusals.length === 0) return
  throw new InstallerError('INSTALLER_REFUSED', 'nothing was changed', { problems: refusals })
}

/** The list is on disk before the effect: a machine that loses power between them can still be cleaned. */
async function perform(
  { machine, listFile, isDryRun, say }: InstallTerms,
  user: string,
  action: Action,
): Promise<void> {
  say(actionText(action, user))
  if (isDryRun) return
  const thing = madeBy(action)
  if (thing !== undefined) {
    const list = await readList(listFile)
    const others = list.filter(each => JSON.stringify(each) !== JSON.stringify(thing))
    await writeFileAtomic(listFile, `${JSON.stringify([...others, thing], undefined, 1)}\n`)
  }
  await machine.act(action)
}

async function readList(file: string): Promise<readonly Made[]> {
  const bytes = await readFileBounded(file, LIST_BYTES_MAX)
  if (bytes === undefined) return []
  try {
    return made.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (error) {
    throw new InstallerError('INSTALLER_REFUSED', `${file} is not a list of this installer`, {
      cause: error,
    })
  }
}
