/** How ids of a container are mapped: `UserNS=` and the maps, and the older `Remap…=` keys. Pure. */
import { listFlags } from './flags.ts'
import { QuadletProblem } from './problem.ts'
import type { Reading } from './reading.ts'

export const USER_MAPPING_KEYS = [
  ...['UserNS', 'UIDMap', 'GIDMap', 'SubUIDMap', 'SubGIDMap'],
  ...['RemapUid', 'RemapGid', 'RemapUidSize', 'RemapUsers'],
] as const

/** @throws QuadletProblem */
export function userMapping(own: Reading): readonly string[] {
  const one = (key: string, flag: string) => {
    const value = own.filled(key)
    return value === undefined ? [] : [flag, value]
  }
  const explicit = [
    ...one('UserNS', '--userns'),
    ...listFlags(own, { UIDMap: '--uidmap', GIDMap: '--gidmap' }),
    ...one('SubUIDMap', '--subuidname'),
    ...one('SubGIDMap', '--subgidname'),
  ]
  if (explicit.length === 0) return remapping(own)
  if (['RemapUid', 'RemapGid', 'RemapUsers'].every(key => own.text(key) === undefined))
    return explicit
  throw new QuadletProblem('deprecated Remap keys are set along with explicit mapping keys')
}

function remapping(own: Reading): readonly string[] {
  const users = own.list('RemapUid')
  const groups = own.list('RemapGid')
  const kind = own.all('RemapUsers').at(-1) ?? ''
  switch (kind) {
    case '':
      if (users.length > 0) throw new QuadletProblem('UidMap set without RemapUsers')
      if (groups.length > 0) throw new QuadletProblem('GidMap set without RemapUsers')
      return []
    case 'manual':
      return listFlags(own, { RemapUid: '--uidmap', RemapGid: '--gidmap' })
    case 'auto': {
      const size = Number(own.text('RemapUidSize') ?? 0)
      return options('auto', [
        ...users.map(user => `uidmapping=${user}`),
        ...groups.map(group => `gidmapping=${group}`),
        ...(size > 0 ? [`size=${size}`] : []),
      ])
    }
    case 'keep-id':
      if (users.length > 1 || groups.length > 1) {
        const which = users.length > 1 ? 'UID' : 'GID'
        throw new QuadletProblem(
          `RemapUsers=keep-id supports only a single value for ${which} mapping`,
        )
      }
      return options('keep-id', [
        ...users.map(user => `uid=${user}`),
        ...groups.map(group => `gid=${group}`),
      ])
    default:
      throw new QuadletProblem(`unsupported RemapUsers option '${kind}'`)
  }
}

function options(kind: string, list: readonly string[]): readonly string[] {
  return ['--userns', list.length === 0 ? kind : `${kind}:${list.join(',')}`]
}
