import { expect } from 'chai'
import {
  type Action,
  dropInPath,
  type Made,
  madeBy,
  planInstall,
  planUninstall,
  type Situation,
  type Wishes,
} from '../../../systemd/setup/plan.ts'

const WISHES: Wishes = { user: 'ada', stopTimeout: '20min', lowPort: 80 }

/** As a fresh Debian with the packages, before anything was done. */
const FRESH: Situation = {
  user: undefined,
  isLingering: false,
  subuid: [{ owner: 'bob', start: 100_000, count: 65_536 }],
  subgid: [],
  files: new Map(),
  firstUnprivilegedPort: 1024,
  isSocketEnabled: false,
  hasConfig: true,
  isNodeEnabled: false,
  hasData: false,
  missingPrograms: [],
}

/** What the machine is like after an action. */
function after(now: Situation, action: Action): Situation {
  switch (action.kind) {
    case 'add-user':
      return { ...now, user: { uid: 1000, home: '/home/ada' } }
    case 'remove-user':
      return { ...now, user: undefined }
    case 'add-ids': {
      const [start = 0, end = 0] = action.range.split('-').map(Number)
      const range = { owner: 'ada', start, count: end - start + 1 }
      return { ...now, [action.file]: [...now[action.file], range] }
    }
    case 'remove-ids': {
      const kept = now[action.file].filter(({ start }) => !action.range.startsWith(`${start}-`))
      return { ...now, [action.file]: kept }
    }
    case 'set-linger':
      return { ...now, isLingering: action.on }
    case 'write':
      return { ...now, files: new Map([...now.files, [action.path, action.text]]) }
    case 'delete':
      return { ...now, files: new Map([...now.files].filter(([path]) => path !== action.path)) }
    case 'sysctl':
      return { ...now, firstUnprivilegedPort: action.value }
    case 'reload':
      return now
    case 'set-socket':
      return { ...now, isSocketEnabled: action.on }
    case 'set-node':
      return { ...now, isNodeEnabled: action.on }
  }
}

function installAll(start: Situation, wishes = WISHES): { now: Situation; made: readonly Made[] } {
  let now = start
  const made: Made[] = []
  for (let round = 0; round < 2; round += 1) {
    for (const action of planInstall(wishes, now).actions) {
      const thing = madeBy(action)
      if (thing !== undefined) made.push(thing)
      now = after(now, action)
    }
  }
  return { now, made }
}

describe('the plan of the installer', () => {
  it('makes everything on a fresh machine, and nothing the second time', () => {
    const { now } = installAll(FRESH)
    expect(now).to.deep.include({
      ...{ isLingering: true, isSocketEnabled: true, isNodeEnabled: true },
      firstUnprivilegedPort: 80,
    })
    expect(now.subuid.at(-1)).to.deep.equal({ owner: 'ada', start: 165_536, count: 65_536 })
    expect(now.files.get(dropInPath(1000))).to.match(/Delegate=.*io.*\nTimeoutStopSec=20min\n$/)
    expect(planInstall(WISHES, now)).to.deep.equal({ actions: [], refusals: [], hints: [] })
  })

  it('takes back all that it made, so that the machine is as before', () => {
    const { now, made } = installAll(FRESH)
    const undone = planUninstall('ada', made, now).actions.reduce(after, now)
    expect(undone).to.deep.equal(FRESH)
  })

  it('takes back nothing that was there before', () => {
    const start: Situation = {
      ...FRESH,
      user: { uid: 1000, home: '/home/ada' },
      ...{ isLingering: true, isSocketEnabled: true, firstUnprivilegedPort: 53 },
      subuid: [{ owner: 'ada', start: 100_000, count: 65_536 }],
      subgid: [{ owner: '1000', start: 100_000, count: 65_536 }],
    }
    const { now, made } = installAll(start)
    expect(made.map(({ kind }) => kind)).to.deep.equal(['file', 'file', 'node'])
    expect(planUninstall('ada', made, now).actions.reduce(after, now)).to.deep.equal(start)
  })

  it('never deletes a user whose home has data of apps', () => {
    const { now, made } = installAll(FRESH)
    const plan = planUninstall('ada', made, { ...now, hasData: true })
    expect(plan.actions.map(({ kind }) => kind)).not.to.include('remove-user')
    expect(plan.hints.join()).to.match(/the user ada stays/)
  })

  it('leaves a file alone that somebody else wrote since', () => {
    const { now, made } = installAll(FRESH)
    const files = new Map([...now.files, [dropInPath(1000), '[Service]\n']])
    const plan = planUninstall('ada', made, { ...now, files })
    expect(JSON.stringify(plan.actions)).not.to.include(dropInPath(1000))
  })

  it('changes a file of its own when the wishes changed', () => {
    const { now } = installAll(FRESH)
    const { actions } = planInstall({ ...WISHES, stopTimeout: '1h' }, now)
    expect(actions.map(({ kind }) => kind)).to.deep.equal(['write', 'reload'])
  })

  it('refuses, and then does nothing at all', () => {
    const user = { uid: 1000, home: '/home/ada' }
    const refused = (now: Partial<Situation>, wishes: Partial<Wishes> = {}): string => {
      const plan = planInstall({ ...WISHES, ...wishes }, { ...FRESH, ...now })
      expect(plan.actions).to.deep.equal([])
      return plan.refusals.join()
    }
    expect(refused({ missingPrograms: ['newuidmap'] })).to.match(/install --yes uidmap/)
    expect(refused({ user: { uid: 0, home: '/root' } })).to.match(/cannot belong to root/)
    expect(refused({}, { user: '../x' })).to.match(/no name for a user/)
    expect(refused({}, { stopTimeout: 'long' })).to.match(/no time/)
    expect(refused({}, { lowPort: 8080 })).to.match(/no low port/)
    expect(refused({ user, files: new Map([[dropInPath(1000), '[Service]\n']]) })).to.match(
      /made by somebody else/,
    )
  })

  it('says how to go on while the node is not configured', () => {
    const { now } = installAll({ ...FRESH, hasConfig: false })
    expect(now.isNodeEnabled).to.equal(false)
    expect(planInstall(WISHES, now).hints.join()).to.match(/archy node init/)
  })
})
