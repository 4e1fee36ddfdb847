/** Looks at an origin as a careful friend would: what ends when, which keys are here, and what does not fit together. */
import { resolve } from 'node:path'
import { messageOf } from '../../src/core/errors.ts'
import { keyIdOf } from '../trust/key.ts'
import { readDraft } from './draft.ts'
import { type Keyring, nameOfKey, openKeyring, placesOf, readKeyring } from './keys/keyring.ts'
import { readKeyFile, splitLocator } from './keys/locator.ts'
import { type LiveCatalog, readLiveCatalog } from './live-catalog.ts'
import { namedBlobs } from './named-blobs.ts'
import { type OriginFolder, originFolder } from './origin-folder.ts'
import { planRoles } from './plan-roles.ts'
import { nobodyToAsk } from './publish.ts'
import { newestRoot } from './root-file.ts'
import { DAY_MS, type OriginRole, TERMS } from './terms.ts'

export interface Finding {
  readonly level: 'ok' | 'warning' | 'error'
  readonly what: string
  readonly fix?: string
}

/** A day is lost to a weekend; three are a habit. */
const STAMP_WARN_DAYS = 3

/** Total: what cannot be read is a finding. @throws PublishError `ORIGIN_MISSING` */
export async function examineOrigin(
  path: string,
  { nowMs }: { readonly nowMs: number },
): Promise<readonly Finding[]> {
  const folder = originFolder(path)
  const draft = await readDraft(folder)
  const findings: Finding[] = []
  const look = async (what: string, work: () => Promise<readonly Finding[]>): Promise<void> => {
    try {
      findings.push(...(await work()))
    } catch (error) {
      findings.push({ level: 'error', what: `${what}: ${messageOf(error)}` })
    }
  }
  const ring = await readKeyring(folder)
  await look('keys', () => examineKeys(folder, ring))
  await look('holders', () => examineHolders(folder, ring))
  let live: LiveCatalog | undefined
  await look('catalog', async () => {
    live = await readLiveCatalog(folder)
    if (live === undefined) return [{ level: 'error', what: 'nothing is published yet' }]
    return [...examineEnds(live, nowMs), ...examineClock(live, nowMs)]
  })
  await look('blobs', async () => {
    const blobs = await namedBlobs(folder, draft)
    return [{ level: 'ok', what: `all ${blobs.length} blobs that the catalog names are there` }]
  })
  await look('draft', async () => {
    const { policy } = await openKeyring(folder, nobodyToAsk)
    const changed = [...planRoles(draft, policy, live, nowMs)]
      .filter(([, plan]) => plan.action === 'sign' && plan.why === 'change')
      .map(([role]) => role)
    if (changed.length === 0)
      return [{ level: 'ok', what: 'everything that is decided is published' }]
    const fix = 'archy origin publish'
    return [{ level: 'warning', what: `decided but not published: ${changed.join(', ')}`, fix }]
  })
  return findings
}

async function examineKeys(folder: OriginFolder, ring: Keyring): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { name, locator, publicKey } of placesOf(ring)) {
    const [kind, rest] = splitLocator(locator)
    if (kind !== 'file') continue
    try {
      const file = await readKeyFile(resolve(folder.root, rest))
      if (file.keyId !== keyIdOf(publicKey)) throw new TypeError(`${rest} holds another key`)
      const how = file.isEncrypted ? 'behind a passphrase' : 'not encrypted'
      findings.push({ level: 'ok', what: `key ${name}: ${rest}, ${how}` })
    } catch (error) {
      findings.push({
        level: 'error',
        what: `key ${name}: ${messageOf(error)}`,
        fix: 'restore it from your backup, or replace it with "archy origin rotate" or "archy origin recover from-sheet"',
      })
    }
  }
  return findings
}

/** How many keys of a role may still be lost. */
async function examineHolders(folder: OriginFolder, ring: Keyring): Promise<readonly Finding[]> {
  const { document } = await newestRoot(folder)
  return (['root', 'targets'] as const).map(role => {
    const { keyids, threshold } = document.roles[role]
    const names = keyids.map(id => nameOfKey(ring, id)).join(', ')
    const what = `${role}: ${threshold} of ${keyids.length} keys (${names})`
    if (keyids.length > threshold) return { level: 'ok', what }
    const fix = 'add a holder: docs/publishing.md, "From one person to three"'
    return { level: 'warning', what: `${what}: if one is lost, this role is lost`, fix }
  })
}

function examineEnds(live: LiveCatalog, nowMs: number): readonly Finding[] {
  const { root, targets, snapshot, timestamp, delegated } = live
  const named: readonly (readonly [string, { readonly expiresMs: number }])[] = [
    ['root', root],
    ['targets', targets],
    ['snapshot', snapshot],
    ['timestamp', timestamp],
    ...delegated.map(role => [role.name, role.targets] as const),
  ]
  return named.map(([role, { expiresMs }]) => {
    const days = Math.floor((expiresMs - nowMs) / DAY_MS)
    const what = `${role} ends in ${days} days`
    const fix = fixOf(role)
    if (days < 0) return { level: 'error', what: `${role} ended ${-days} days ago`, fix }
    const isSoon = role === 'timestamp' ? days < STAMP_WARN_DAYS : days < renewDaysOf(role)
    return isSoon ? { level: 'warning', what, fix } : { level: 'ok', what }
  })
}

/** Publishing signs what is below the root; a root is signed by its holders alone. */
function fixOf(role: string): string {
  if (role === 'root')
    return 'archy origin rotate <dir> root, or request create with several holders'
  return ['timestamp', 'snapshot', 'registry'].includes(role)
    ? 'archy origin stamp'
    : 'archy origin publish'
}

function renewDaysOf(role: string): number {
  if (role.startsWith('pub-')) return TERMS.core.renewDays
  return role === 'snapshot' ? STAMP_WARN_DAYS : TERMS[role as OriginRole].renewDays
}

function examineClock({ timestamp }: LiveCatalog, nowMs: number): readonly Finding[] {
  const issuedMs = timestamp.issuedMs ?? 0
  if (issuedMs <= nowMs) return [{ level: 'ok', what: 'the clock is after the last signing' }]
  const minutes = Math.ceil((issuedMs - nowMs) / 60_000)
  const what = `the last catalog was signed ${minutes} minutes in the future of this clock`
  return [{ level: 'error', what, fix: 'set the clock of this machine before you sign anything' }]
}
