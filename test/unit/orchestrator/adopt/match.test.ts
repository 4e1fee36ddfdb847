import { expect } from 'chai'
import type { InspectedContainer } from '../../../../orchestrator/adopt/inspected.ts'
import { type Matching, matchContainers } from '../../../../orchestrator/adopt/match.ts'
import { inspected, volume } from '../../../support/orchestrator/inspected.ts'
import { forRender } from '../../../support/orchestrator/manifest.ts'

const MANIFEST = forRender(`
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
data: { db: {}, shared: {} }
components:
  db:
    image: a
    env: { MODE: fast }
    mounts: [{ data: db, path: /data }, { data: shared, path: /shared }]
  web:
    image: a
    ports: [{ container: 80, host: 8080 }]
    mounts: [{ data: shared, path: /files, readOnly: true }]
  migrate: { image: a, role: job }
adopt: { db: [postgres, old-db], web: [old-web] }
`)
const ANONYMOUS = 'ab'.repeat(32)

const db = (over: Partial<InspectedContainer> = {}): InspectedContainer =>
  inspected({
    name: 'old-db',
    env: { MODE: 'fast' },
    mounts: [volume('/srv/db', '/data'), volume('/srv/shared', '/shared')],
    ...over,
  })
const web = (over: Partial<InspectedContainer> = {}): InspectedContainer =>
  inspected({
    name: 'old-web',
    ports: [{ container: 80, host: 8080, protocol: 'tcp' }],
    mounts: [volume('/srv/shared', '/files', { isWritable: false })],
    ...over,
  })

function match(
  containers: readonly InspectedContainer[],
  named: Readonly<Record<string, string>> = {},
): Matching {
  return matchContainers({
    ...{ manifest: MANIFEST, platform: 'amd64', containers, dataFolder: '/home/ada/data/duo' },
    named: new Map(Object.entries(named)),
  })
}
const names = ({ matches }: Matching) =>
  matches.map(({ component, container }) => [component, container.name])
const refusals = (...args: Parameters<typeof match>) => match(...args).refusals.join('\n')

describe('matchContainers', () => {
  it('finds the containers that the manifest names, leaves data where it is, and needs none for a job', () => {
    const found = match([inspected(), web(), db()])
    expect(found.refusals).to.deep.equal([])
    expect(names(found)).to.deep.equal([
      ['db', 'old-db'],
      ['web', 'old-web'],
    ])
    expect(found.pins).to.deep.equal([
      { set: 'db', source: '/srv/db' },
      { set: 'shared', source: '/srv/shared' },
    ])
  })

  it('pins nothing that is where this node would put it', () => {
    const mounts = [
      volume('/home/ada/data/duo/db', '/data'),
      volume('/home/ada/data/duo/shared', '/shared'),
    ]
    const files = volume('/home/ada/data/duo/shared', '/files')
    expect(match([db({ mounts }), web({ mounts: [files] })]).pins).to.deep.equal([])
  })

  it('finds what Compose made by project and service', () => {
    const labels = (service: string, maker: string) => ({
      [`${maker}.compose.project`]: 'duo',
      [`${maker}.compose.service`]: service,
    })
    const found = match([
      web({ name: 'duo_web_1', labels: labels('web', 'io.podman') }),
      db({ name: 'duo_db_1', labels: labels('db', 'com.docker') }),
    ])
    expect(names(found)).to.deep.equal([
      ['db', 'duo_db_1'],
      ['web', 'duo_web_1'],
    ])
  })

  it('knows the unit of a container that systemd runs', () => {
    const found = match([db({ labels: { PODMAN_SYSTEMD_UNIT: 'pg.service' } }), web()])
    expect(found.matches.map(({ unit }) => unit)).to.deep.equal(['pg.service', undefined])
  })

  it('takes the word of the owner over every rule', () => {
    const found = match([db(), db({ name: 'mine' }), web()], { db: 'mine' })
    expect(names(found)[0]).to.deep.equal(['db', 'mine'])
  })

  it('refuses what is missing, what fits twice, and names that mean nothing', () => {
    expect(refusals([db()])).to.match(/no container is known to be web.*--container web=/)
    expect(refusals([db(), db({ name: 'postgres' }), web()])).to.match(
      /old-db and postgres could both be db/,
    )
    expect(refusals([db(), web()], { cache: 'old-db' })).to.match(
      /no component cache; it has db, web/,
    )
    expect(refusals([db(), web()], { db: 'nobody' })).to.match(/there is no container nobody/)
    expect(refusals([db(), web()], { db: 'old-db', web: 'old-db' })).to.match(
      /one container would be both db and web/,
    )
  })

  it('refuses data that would die with its container', () => {
    const shared = volume('/srv/shared', '/shared')
    expect(refusals([db({ mounts: [shared] }), web()])).to.match(
      /data set db \(\/data in old-db\) is not on a mount/,
    )
    const nameless = volume('/volumes/x/_data', '/data', { kind: 'volume', name: ANONYMOUS })
    expect(refusals([db({ mounts: [nameless, shared] }), web()])).to.match(
      /a volume without a name.*podman unshare cp -a \/volumes\/x\/_data \/home\/ada\/data\/duo\/db/,
    )
    const named = volume('/volumes/pg/_data', '/data', { kind: 'volume', name: 'pg' })
    expect(match([db({ mounts: [named, shared] }), web()]).refusals).to.deep.equal([])
    const memory = volume('tmpfs', '/data', { kind: 'other' })
    expect(refusals([db({ mounts: [memory, shared] }), web()])).to.match(/is in memory/)
  })

  it('refuses one data set at two places', () => {
    const elsewhere = web({ mounts: [volume('/srv/other', '/files')] })
    expect(refusals([db(), elsewhere])).to.match(
      /data set shared would be at two places: \/srv\/shared and \/srv\/other/,
    )
  })

  it('refuses while another program runs on the same data, not once that has ended', () => {
    const second = { name: 'copy', mounts: [volume('/srv/db', '/anywhere')] }
    expect(refusals([db(), web(), inspected(second)])).to.match(
      /copy runs on the same data as old-db; stop one/,
    )
    expect(refusals([db(), web(), inspected({ ...second, status: 'exited' })])).to.equal('')
  })

  it('tells what a take-over would change', () => {
    const found = match([
      db({ env: {}, mounts: [...db().mounts, volume('/etc/x', '/etc/x')] }),
      web({ ports: [{ container: 80, host: 9090, protocol: 'tcp' }] }),
    ])
    expect(found.refusals).to.deep.equal([])
    expect(found.drift).to.deep.equal([
      'db: runs the image docker.io/library/some:1, not the one of 1',
      'db: has no variable MODE',
      'db: has /etc/x at /etc/x, which the app does not use',
      'web: runs the image docker.io/library/some:1, not the one of 1',
      'web: does not publish port 8080:80/tcp',
      'web: publishes port 9090:80/tcp besides',
    ])
  })
})
