/** What an app may do on this machine, and whether a new version may do more than the installed one. Pure. */
import { z } from 'zod'
import { type AppManifest, type Component, GRANTS, type GrantName } from '../catalog/index.ts'

export const permissionSchema = z.strictObject({
  /** The same for the same permission in every version, so that two versions can be compared. */
  key: z.string(),
  /** What the owner reads. */
  text: z.string(),
  /** Whether an update that brings it waits for the owner; otherwise it is only told. */
  asks: z.boolean(),
})

export type Permission = z.infer<typeof permissionSchema>

export interface PermissionChange {
  readonly added: readonly Permission[]
  readonly removed: readonly Permission[]
  /** The owner has to agree first. */
  readonly widens: boolean
}

/** Sorted by key, each key once. */
export function permissionsOf(manifest: AppManifest): readonly Permission[] {
  const all = [
    ...Object.entries(manifest.components).flatMap(([name, each]) => ofComponent(name, each)),
    ...Object.values(manifest.needs).map(({ app, export: name }) =>
      permission(`need ${app} ${name}`, `use "${name}" of the app ${app}`),
    ),
    ...Object.entries(manifest.provides).map(([name]) =>
      permission(`provide ${name}`, `let other apps use its "${name}"`, false),
    ),
    ...Object.entries(manifest.data).map(([name, { class: kind }]) =>
      permission(`data ${name}`, `keep the data set "${name}" (${kind})`, false),
    ),
    ...Object.entries(manifest.config).map(([name, { title }]) =>
      permission(`config ${name}`, `have the setting "${name}"${title ? `: ${title}` : ''}`, false),
    ),
  ]
  return [...new Map(all.map(each => [each.key, each])).values()].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  )
}

/** A version that nothing older can follow asks at every update: there is no way back from it. */
export function compareVersions(
  before: readonly Permission[],
  after: readonly Permission[],
  canGoBack: boolean,
): PermissionChange {
  const final = canGoBack
    ? []
    : [permission('final', 'change its data so that no older version runs again')]
  const added = [...final, ...after.filter(each => !isCovered(each, before))]
  const removed = before.filter(each => !isCovered(each, after))
  return { added, removed, widens: added.some(({ asks }) => asks) }
}

/** A port that is open to the local network covers the same port on this machine alone. */
function isCovered({ key }: Permission, by: readonly Permission[]): boolean {
  return by.some(each => each.key === key || each.key === key.replace(/ local$/, ' lan'))
}

function ofComponent(name: string, component: Component): readonly Permission[] {
  const { ports, devices, grants, security } = component
  return [
    ...ports.map(({ host, protocol, bind }) => {
      const where = bind === 'lan' ? 'the local network' : 'this machine'
      return permission(
        `port ${host}/${protocol} ${bind}`,
        `answer ${where} on ${host}/${protocol}`,
      )
    }),
    ...devices.map(({ path }) => permission(`device ${path}`, `use the device ${path}`)),
    ...Object.entries(grants).map(([grant, { why }]) =>
      permission(`grant ${grant}`, `${GRANTS[grant as GrantName]} (${name}: ${why})`),
    ),
    ...security.capabilities.map(capability =>
      permission(`capability ${capability}`, `use the capability ${capability} in its container`),
    ),
    ...(security.noNewPrivileges
      ? []
      : [permission('new-privileges', 'gain privileges of its container by programs in it')]),
  ]
}

function permission(key: string, text: string, asks = true): Permission {
  return { key, text, asks }
}
