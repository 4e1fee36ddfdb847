/** What an owner should know of the updates and hooks of an app, from its record. Pure. */
import type { NewFinding } from './findings.ts'
import type { AppRecord } from './record.ts'

export function updateFindings(record: AppRecord): readonly NewFinding[] {
  const { id: app, pendingConsent, setAside = [], hookProblems = [] } = record
  return [
    ...(pendingConsent === undefined ? [] : [consent(app, pendingConsent)]),
    ...setAside.map(each => aside(app, each)),
    ...hookProblems.map(
      ({ text, evidence, isRepeat }): NewFinding => ({
        ...{ code: isRepeat ? 'hook.repeated' : 'hook.failed', app, text, evidence },
        severity: isRepeat ? 'info' : 'warning',
        fix: isRepeat
          ? 'nothing, when the app runs well: steps of hooks are to stand being run twice'
          : `it runs again the next time its point is reached, such as by: archy app restart ${app}`,
      }),
    ),
  ]
}

function consent(
  app: string,
  { version, added }: NonNullable<AppRecord['pendingConsent']>,
): NewFinding {
  return {
    ...{ code: 'update.waits', app, severity: 'info' },
    text: `version ${version} waits, because it may do more than what is installed`,
    evidence: added.map(({ text }) => text),
    fix: `archy app approve ${app}`,
  }
}

function aside(
  app: string,
  { set, path, bytes }: NonNullable<AppRecord['setAside']>[number],
): NewFinding {
  return {
    ...{ code: 'data.set-aside', app, severity: 'info' },
    text: `the data set "${set}" as a version left it that was taken back`,
    evidence: [path, `${bytes} bytes`],
    fix: 'copy what you need of it and delete the folder; the node deletes it only with a purge',
  }
}
