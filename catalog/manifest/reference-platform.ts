/**
 * Translates manifests of the reference platform (`apps/<id>/manifest.yml`, everything below `app:`) to ours. Pure. What each key
 * becomes stands in one table; a key that is not in it is reported as dropped, so that nothing is lost in silence.
 */
import { FIELDS } from './reference/fields.ts'
import { joinMembers } from './reference/stack.ts'
import { isMapping, labelOf, type Mapping } from './reference/values.ts'

/** What became of a key: where it stood, and what was made of it or what to do. */
export interface TranslationNote {
  readonly from: string
  readonly note: string
}

export interface TranslationReport {
  /** Says the same. */
  readonly mapped: TranslationNote[]
  /** Says nearly the same; read what differs. */
  readonly approximated: TranslationNote[]
  /** Has no counterpart, or none is needed. */
  readonly dropped: TranslationNote[]
  /** Only the author can decide it. */
  readonly decide: TranslationNote[]
}

/** An author's manifest in the making; what comes out is validated like any other. */
export interface ManifestDraft {
  apiVersion: string
  id: string
  version: string
  title: string
  description?: string
  links?: Record<string, string>
  secrets: Record<string, object>
  data: Record<string, object>
  images: Record<string, object>
  components: Record<string, ComponentDraft>
  interfaces: object[]
  needs: Record<string, object>
  hooks: Record<string, object[]>
  adopt: Record<string, string[]>
}

export interface ComponentDraft {
  image: string
  env: Record<string, string>
  mounts: { data?: string; tmpfs?: string; path: string; readOnly?: boolean }[]
  ports: { host: number; container: number; protocol: string }[]
  grants: Record<string, object>
  security: Record<string, unknown>
  resources: Record<string, unknown>
  dependsOn: Record<string, object>
  [key: string]: unknown
}

/** What the translation of one key works on. */
export interface Member {
  readonly draft: ManifestDraft
  readonly component: ComponentDraft
  /** Name of the component. */
  readonly name: string
  readonly isFirst: boolean
  /** Name of the component by id, of every manifest that is translated together. */
  readonly members: ReadonlyMap<string, string>
  /** Source folder of the machine → data set. */
  readonly sources: Map<string, string>
  tell(what: keyof TranslationReport, note: string): void
}

export interface Translation {
  readonly manifest: ManifestDraft
  readonly report: TranslationReport
}

const ORDER = [
  ...['apiVersion', 'id', 'version', 'title', 'description', 'links', 'secrets', 'data', 'images'],
  ...['components', 'interfaces', 'needs', 'hooks', 'adopt'],
]
const COMPONENT_ORDER = [
  ...[
    'image',
    'entrypoint',
    'command',
    'env',
    'mounts',
    'devices',
    'ports',
    'aliases',
    'dependsOn',
  ],
  ...['health', 'stop', 'resources', 'security', 'grants'],
]

/** Sections whose keys are looked at one by one. */
const SECTIONS = ['container', 'resources', 'security', 'hooks'] as const

/**
 * @param documents parsed manifests; several are the members of one stack, the first one names the app
 * @returns nothing when a document has no `app` with an `id`
 */
export function translateManifests(documents: readonly unknown[]): Translation | undefined {
  const apps = documents.flatMap((each): readonly Mapping[] =>
    isMapping(each) && isMapping(each.app) ? [each.app] : [],
  )
  const [first] = apps
  if (first === undefined || apps.length !== documents.length) return undefined
  if (apps.some(({ id }) => typeof id !== 'string')) return undefined
  const stack = labelOf(String(first.id))
  const members = new Map(
    apps.map(({ id }) => [String(id), apps.length === 1 ? 'main' : memberName(String(id), stack)]),
  )
  const draft: ManifestDraft = {
    ...{ apiVersion: 'archy.app/v1', id: stack, version: '0', title: stack },
    ...{ secrets: {}, data: {}, images: {}, components: {} },
    ...{ interfaces: [], needs: {}, hooks: {}, adopt: {} },
  }
  const report: TranslationReport = { mapped: [], approximated: [], dropped: [], decide: [] }
  const sources = new Map<string, string>()
  for (const source of apps) translateMember({ draft, report, members, sources }, source)
  joinMembers(draft, report, hostsOf(apps, members, stack))
  const components = Object.entries(draft.components).map(
    ([name, component]) => [name, inOrder(component, COMPONENT_ORDER)] as const,
  )
  draft.components = Object.fromEntries(components)
  return { manifest: inOrder(draft, ORDER), report }
}

/** `indeedhub-api` of the stack `indeedhub` is `api`. */
function memberName(id: string, stack: string): string {
  const name = labelOf(id)
  const short = name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : name
  return short === stack ? 'main' : labelOf(short)
}

type Stack = Pick<Member, 'draft' | 'members' | 'sources'> & { readonly report: TranslationReport }

function translateMember({ draft, report, members, sources }: Stack, source: Mapping): void {
  const id = String(source.id)
  const name = members.get(id) ?? 'main'
  const isFirst = members.keys().next().value === id
  const component: ComponentDraft = {
    ...{ image: name, env: {}, mounts: [], ports: [], grants: {} },
    ...{ security: {}, resources: {}, dependsOn: {} },
  }
  draft.components[name] = component
  const fields = fieldsOf(source)
  for (const [key, translate] of Object.entries(FIELDS)) {
    const found = fields.get(key)
    if (found === undefined) continue
    const from = members.size === 1 ? found.from : `${id}: ${found.from}`
    const tell: Member['tell'] = (what, note) => report[what].push({ from, note })
    translate(found.value, { draft, component, name, isFirst, members, sources, tell })
  }
  for (const [key, { from }] of fields) {
    if (Object.hasOwn(FIELDS, key)) continue
    const place = members.size === 1 ? from : `${id}: ${from}`
    report.dropped.push({ from: place, note: 'no counterpart is known' })
  }
  if (component.security.readOnlyRoot === undefined) component.security.readOnlyRoot = true
}

/** By key without its section: some keys stood in `container` in one version and at the top in another. */
function fieldsOf(source: Mapping): ReadonlyMap<string, { from: string; value: unknown }> {
  const fields = new Map<string, { from: string; value: unknown }>()
  for (const [key, value] of Object.entries(source)) {
    const isSection = (SECTIONS as readonly string[]).includes(key) && isMapping(value)
    if (!isSection) fields.set(key, { from: key, value })
    else {
      for (const [inner, each] of Object.entries(value)) {
        fields.set(key === 'hooks' ? `hooks.${inner}` : inner, {
          from: `${key}.${inner}`,
          value: each,
        })
      }
    }
  }
  return fields
}

/** Names by which other members reached one: its id, its container, and both as DNS labels. */
function hostsOf(
  apps: readonly Mapping[],
  members: ReadonlyMap<string, string>,
  stack: string,
): ReadonlyMap<string, string> {
  const hosts = apps.flatMap(({ id, container_name: container }) => {
    const names = [id, container].flatMap(each => (typeof each === 'string' ? each : []))
    const all = new Set([...names, ...names.map(labelOf)])
    return [...all].map((name): [string, string] => [name, members.get(String(id)) ?? 'main'])
  })
  return new Map(hosts.filter(([name]) => name !== stack && members.size > 1))
}

/** As people write it, and without what says nothing. */
function inOrder<T extends object>(value: T, order: readonly string[]): T {
  const isEmpty = (each: unknown): boolean =>
    typeof each === 'object' && each !== null && Object.keys(each).length === 0
  const rank = (key: string): number =>
    order.indexOf(key) + (order.includes(key) ? 0 : order.length)
  const entries = Object.entries(value).filter(([, each]) => !isEmpty(each))
  return Object.fromEntries(entries.sort(([a], [b]) => rank(a) - rank(b))) as T
}
