/** The account that owns the apps: it lingers, and its containers have ids of their own. Pure. */
import { advice, asOwner, asRoot, type Check, type Diagnosis, defineCheck } from '../check.ts'
import type { IdRange } from '../facts.ts'

/** What an image may use: ids 0 to 65535. */
const ID_COUNT_MIN = 65_536
/** `useradd` gives the next free range from here on. */
const FIRST_SUBORDINATE_ID = 100_000

const user = defineCheck({
  id: 'user',
  must: 'the apps belong to an ordinary user',
  reads: ['user'],
  judge: ({ user: { name, uid } }) => ({
    measured: `${name} (${uid})`,
    findings:
      uid === 0
        ? [
            {
              code: 'user.root',
              severity: 'error',
              text: 'this is root; the node and its apps belong to an ordinary user, without any right of root',
              evidence: ['uid 0'],
              fix: advice('run "archy doctor" as the user who is to own the apps'),
            },
          ]
        : [],
  }),
})

const linger = defineCheck({
  id: 'linger',
  must: 'the user manager runs without a login and starts at boot',
  reads: ['user', 'linger'],
  judge: ({ user: { name }, linger: isLingering }) => ({
    measured: isLingering ? 'lingers' : 'does not linger',
    findings: isLingering
      ? []
      : [
          {
            code: 'linger.off',
            severity: 'error',
            text: `${name} does not linger: all apps stop when ${name} logs out, and none starts at boot`,
            evidence: [`no /var/lib/systemd/linger/${name}`],
            fix: asRoot(['loginctl', 'enable-linger', name]),
          },
        ],
  }),
})

const ids = defineCheck({
  id: 'ids',
  must: `subordinate ids: one range of ${ID_COUNT_MIN} or more, shared with nobody, and the programs that hand them out`,
  reads: ['user', 'ids'],
  judge: ({ user: who, ids: known }) => ({
    measured: [...known.subuid, ...known.subgid]
      .filter(range => isOf(range, who))
      .map(rangeText)
      .join(', '),
    findings: [
      ...rangeProblems('subuid', known.subuid, who),
      ...rangeProblems('subgid', known.subgid, who),
      ...mapperProblems('newuidmap', known.newuidmap),
      ...mapperProblems('newgidmap', known.newgidmap),
    ],
  }),
})

type Who = { readonly name: string; readonly uid: number }

function isOf({ owner }: IdRange, { name, uid }: Who): boolean {
  return owner === name || owner === String(uid)
}

function rangeText({ owner, start, count }: IdRange): string {
  return `${owner}:${start}:${count}`
}

function rangeProblems(
  kind: 'subuid' | 'subgid',
  all: readonly IdRange[],
  who: Who,
): readonly Diagnosis[] {
  const own = all.filter(range => isOf(range, who))
  const others = all.filter(range => !isOf(range, who))
  const total = own.reduce((sum, { count }) => sum + count, 0)
  const overlaps = own.flatMap(mine =>
    others.filter(theirs => doOverlap(mine, theirs)).map(theirs => ({ mine, theirs })),
  )
  const problems: Diagnosis[] = []
  if (total < ID_COUNT_MIN) {
    problems.push({
      code: `ids.${kind}-small`,
      severity: 'error',
      text: `${who.name} has ${total} ids in /etc/${kind}; files of images with other owners cannot be unpacked`,
      evidence: own.map(rangeText),
      fix: {
        ...asRoot(['usermod', flagOf(kind), freeRange(all), who.name]),
        note: 'then, as the user, when no app runs: podman system migrate',
      },
    })
  }
  for (const { mine, theirs } of overlaps) {
    problems.push({
      code: `ids.${kind}-shared`,
      severity: 'error',
      text: `${theirs.owner} has some of the same ids in /etc/${kind}: its containers may read the files of these`,
      evidence: [rangeText(mine), rangeText(theirs)],
      fix: {
        ...asRoot(['usermod', flagOf(kind).replace('--add', '--del'), span(theirs), theirs.owner]),
        note: `then give ${theirs.owner} a range of its own; files that its containers made keep their old owners`,
      },
    })
  }
  return problems
}

function doOverlap(a: IdRange, b: IdRange): boolean {
  return a.start < b.start + b.count && b.start < a.start + a.count
}

const flagOf = (kind: 'subuid' | 'subgid'): string =>
  kind === 'subuid' ? '--add-subuids' : '--add-subgids'

const span = ({ start, count }: IdRange): string => `${start}-${start + count - 1}`

/** Above all that is given away. */
export function freeRange(all: readonly IdRange[]): string {
  const start = Math.max(FIRST_SUBORDINATE_ID, ...all.map(range => range.start + range.count))
  return span({ owner: '', start, count: ID_COUNT_MIN })
}

function mapperProblems(name: string, path: string | undefined): readonly Diagnosis[] {
  if (path !== undefined) return []
  return [
    {
      code: `ids.${name}`,
      severity: 'error',
      text: `${name} is missing: no container of an ordinary user can start`,
      evidence: [`no ${name} in the usual folders`],
      fix: asRoot(['apt-get', 'install', '--yes', 'uidmap']),
    },
  ]
}

const idMap = defineCheck({
  id: 'id-map',
  must: 'the subordinate ids are in force',
  reads: ['idMap'],
  judge: ({ idMap: mappings }) => {
    const count = mappings.reduce((sum, mapping) => sum + mapping.count, 0)
    return {
      measured: `${count} ids`,
      findings:
        count > ID_COUNT_MIN
          ? []
          : [
              {
                code: 'id-map.stale',
                severity: 'error',
                text: `containers can use ${count} ids only; Podman still uses the ranges of before, or newuidmap does not work`,
                evidence: mappings.map(
                  ({ inside, outside, count: each }) => `${inside} ${outside} ${each}`,
                ),
                // It stops every container of this user.
                fix: {
                  ...asOwner(['podman', 'system', 'migrate']),
                  note: 'this stops every container of this user',
                },
              },
            ],
    }
  },
})

export const ACCOUNT_CHECKS: readonly Check[] = [user, linger, ids, idMap]
