/** An app as one line of text, and what belongs below it. Pure. */
import type { AppView } from '../status.ts'
import { formatTable } from './format.ts'
import { formatProgress } from './progress.ts'

export function formatApps(apps: readonly AppView[]): string {
  if (apps.length === 0) return 'No apps. Install one with "archy app install <id>".'
  const table = formatTable(
    apps.map(app => [app.id, app.version ?? '-', stateText(app), addressText(app)]),
  )
  return [table, ...formatFindings(apps)].join('\n')
}

export function describeApp(app: AppView): string {
  return [app.id, app.version, stateText(app), addressText(app)].filter(Boolean).join('  ')
}

/** What the app may do, one line each; nothing when that is not known. */
export function formatPermissions({ permissions = [] }: AppView): readonly string[] {
  return permissions.length === 0 ? [] : ['It may:', ...permissions.map(text => `  ${text}`)]
}

/** What an update would change, for the owner who has to agree. */
export function formatConsent({ pendingConsent }: AppView): readonly string[] {
  if (pendingConsent === undefined) return []
  const { version, added, removed } = pendingConsent
  return [
    `Version ${version} waits for you. New, it may:`,
    ...added.map(text => `  ${text}`),
    ...(removed.length === 0 ? [] : ['It may no longer:', ...removed.map(text => `  ${text}`)]),
  ]
}

/** What the node noticed, one line each with the way out. */
export function formatFindings(
  apps: readonly Pick<AppView, 'id' | 'findings'>[],
): readonly string[] {
  return apps.flatMap(({ findings = [], id }) =>
    findings.map(({ severity, code, text, fix }) => `${id}: ${severity} ${code}: ${text} → ${fix}`),
  )
}

function stateText(app: AppView): string {
  const { state, next, error, pin, notices = [], probation, pendingConsent, adopted } = app
  const parts: string[] = [state]
  if (adopted !== undefined) parts.push('(adopted)')
  if (probation !== undefined) parts.push('(on probation)')
  if (pendingConsent !== undefined) parts.push(`(${pendingConsent.version} waits for approval)`)
  if (next !== undefined) parts.push(`→ ${next.version}`)
  const { progress, bytesPerSecond } = next ?? {}
  if (progress !== undefined) {
    parts.push(formatProgress({ ...progress, ...(bytesPerSecond && { bytesPerSecond }) }))
  }
  if (pin !== undefined) parts.push(`pinned to ${pin}`)
  if (error === undefined) parts.push(...notices.map(notice => `(${notice})`))
  if (error !== undefined) parts.push(`(${error.code}: ${error.message})`)
  return parts.join(' ')
}

function addressText(app: AppView): string {
  return (app.interfaces ?? []).map(i => `${i.title}: port ${i.port}${i.path}`).join(', ')
}
