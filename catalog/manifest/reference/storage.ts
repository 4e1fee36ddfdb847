/** Volumes, their owners, and generated files of the reference platform's manifests. Pure. */

import type { Member } from '../reference-platform.ts'
import { withPlaceholders } from './env.ts'
import {
  containerOwner,
  isMapping,
  labelOf,
  listOf,
  type Mapping,
  sizeText,
  textAt,
} from './values.ts'

/** Where the reference platform keeps what apps write. */
const DATA_FOLDER = '/var/lib/archipelago/'
const TMPFS_SIZE = '64MiB'

export function volumes(value: unknown, member: Member): void {
  for (const each of listOf(value)) {
    if (!isMapping(each)) member.tell('decide', `${JSON.stringify(each)} is no volume`)
    else volume(each, member)
  }
}

function volume(each: Mapping, member: Member): void {
  const { component, tell } = member
  const path = textAt(each, 'target') ?? ''
  const source = textAt(each, 'source') ?? ''
  const options = listOf(each.options).map(String)
  const isReadOnly = options.includes('ro') || each.read_only === true
  if (each.type === 'tmpfs') {
    const size = options
      .map(option => /^size=(.+)$/.exec(option)?.[1])
      .find(found => found !== undefined)
    component.mounts.push({ tmpfs: sizeText(size) ?? TMPFS_SIZE, path })
    const note = size === undefined ? `, of ${TMPFS_SIZE} because no size was given` : ''
    tell(size === undefined ? 'approximated' : 'mapped', `a memory file system at ${path}${note}`)
    return
  }
  if (each.type === 'bind' && !source.startsWith(DATA_FOLDER)) {
    const what = `${source} is a part of the machine, and no app gets it`
    tell('decide', `${what}; take a data set, devices or grants, or do without`)
    return
  }
  const data = dataSetFor(source, member)
  component.mounts.push({ data, path, ...(isReadOnly && { readOnly: true }) })
  const kept = each.type === 'bind' ? `; its content is in ${source} now` : ''
  tell('mapped', `data.${data} at ${path}${kept}`)
}

/** One data set for one place, also when two components use it; its name is the end of the path. */
function dataSetFor(source: string, { draft, sources, name, members }: Member): string {
  const known = sources.get(source)
  if (known !== undefined) return known
  const last = labelOf(source.split('/').filter(Boolean).at(-1) ?? 'data')
  const isTaken = draft.data[last] !== undefined
  const data = isTaken && members.size > 1 ? labelOf(`${name}-${last}`) : freeName(last, draft.data)
  draft.data[data] = { class: 'user' }
  sources.set(source, data)
  return data
}

function freeName(wanted: string, taken: object): string {
  let name = wanted
  for (let count = 2; Object.hasOwn(taken, name); count += 1) name = `${wanted}-${count}`
  return name
}

/** Ids of the machine: 100000 + N - 1 is N in the container. */
export function dataUid(value: unknown, { draft, component, tell }: Member): void {
  const owner = containerOwner(String(value))
  if (owner === undefined) {
    tell('decide', `${String(value)} is no owner; write data.<name>.owner`)
    return
  }
  for (const mount of component.mounts) {
    if (mount.data !== undefined) draft.data[mount.data] = { ...draft.data[mount.data], owner }
  }
  tell('mapped', `owner of its data: { uid: ${owner.uid}, gid: ${owner.gid} } in the container`)
}

/** A file below a mounted place becomes a text that is rendered into the data set before the start. */
export function files(value: unknown, member: Member): void {
  for (const each of listOf(value)) {
    const path = textAt(each, 'path') ?? ''
    const found = placeOf(path, member)
    if (found === undefined)
      member.tell('decide', `${path} is below no data set; write it as files of the component`)
    else render(each, path, found, member)
  }
}

interface Place {
  readonly data: string
  readonly rest: string
}

/** `path` is one of the machine or of the container. */
function placeOf(path: string, { component, sources }: Member): Place | undefined {
  const places = [
    ...[...sources].map(([place, data]) => ({ place, data })),
    ...component.mounts.flatMap(({ data, path: place }) =>
      data === undefined ? [] : { place, data },
    ),
  ]
  const found = places.find(({ place }) => path.startsWith(`${place.replace(/\/$/, '')}/`))
  return found && { data: found.data, rest: path.slice(found.place.replace(/\/$/, '').length) }
}

function render(each: unknown, path: string, { data, rest }: Place, { draft, tell }: Member): void {
  const { text: content, unknown } = withPlaceholders(textAt(each, 'content') ?? '')
  const overwrite = isMapping(each) && each.overwrite === true
  const owner = (draft.data[data] as { owner?: object }).owner
  const step = { render: { data, path: rest, content, overwrite, ...(owner && { owner }) } }
  const runs = overwrite ? 'always' : 'oncePerInstall'
  draft.hooks.preStart = [...(draft.hooks.preStart ?? []), { ...step, runs }]
  const open = [...unknown, ...(content.match(/\$\$\{\w+\}/g) ?? [])]
  const written = `render in hooks.preStart writes ${path}`
  if (open.length === 0) tell('mapped', written)
  else tell('decide', `${written}; write references in place of ${open.join(', ')}`)
}
