/** What is on the machine that looks like ours and that nobody recorded. It is told to the owner and never touched. Pure. */
import type { NewFinding } from './findings.ts'
import { isQuadletFileOf, targetUnit } from './names.ts'
import type { ContainerState } from './ports.ts'
import type { AppRecord } from './record.ts'
import { shownGeneration } from './status.ts'

/** Containers with our label that no record accounts for. `damaged`: apps of which nothing is known. */
export function orphanFindings(
  records: readonly AppRecord[],
  damaged: readonly string[],
  containers: readonly ContainerState[],
): readonly NewFinding[] {
  const known = new Set(
    records.flatMap(record => {
      const specs = [record.committed?.spec, shownGeneration(record)?.spec]
      return specs.flatMap(spec => spec?.components.map(({ container }) => container) ?? [])
    }),
  )
  const busy = new Set(records.filter(({ operation }) => operation).map(({ id }) => id))
  return containers.flatMap(({ name, status, labels }) => {
    const app = labels['app.id']
    if (app === undefined || known.has(name) || damaged.includes(app) || busy.has(app)) return []
    return [
      {
        ...{ code: 'container.orphan', app, component: name, severity: 'warning' as const },
        text: `the container ${name} carries the label of ${app}, and this node did not make it`,
        evidence: [`its state is ${status}`],
        fix: `if you do not need it: podman rm ${name}`,
      },
    ]
  })
}

/** Folders whose drop-ins change our units: `app-x_y.container.d` one of them, `container.d` and `app-.container.d` all. */
export function dropInFindings(
  ids: readonly string[],
  folders: readonly string[],
): readonly NewFinding[] {
  return folders.flatMap(folder => {
    const unit = folder.replace(/\.d$/, '')
    if (unit === folder) return []
    const app = ids.find(
      id =>
        isQuadletFileOf(id, unit) ||
        unit === targetUnit(id) ||
        (unit.endsWith('.service') && isQuadletFileOf(id, unit.replace('.service', '.container'))),
    )
    const isForAll = /^(app-\.)?(container|network|service|target)$/.test(unit)
    if (app === undefined && !isForAll) return []
    return [
      {
        ...{ code: 'unit.foreign-drop-in', severity: 'warning' as const, component: folder },
        ...(app === undefined ? {} : { app }),
        text: `${folder} changes ${app === undefined ? 'every unit' : `the units of ${app}`} of this node`,
        evidence: [],
        fix: `what it sets belongs into the manifest; if it is not wanted, remove the folder ${folder}`,
      },
    ]
  })
}
