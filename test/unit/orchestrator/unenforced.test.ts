import { expect } from 'chai'
import { unenforcedLimits } from '../../../orchestrator/unenforced.ts'
import { generation, installed } from '../../support/orchestrator/records.ts'

const text = '[Container]\nImage=x\n\n[Service]\nMemoryMax=67108864\nTasksMax=50\n'
const quadlet = [
  { name: 'app-duo_db.container', text },
  { name: 'app-duo.network', text: '[Network]\nNetworkName=app-duo\n' },
]
const app = installed({ committed: generation({ quadlet }) })

describe('unenforcedLimits', () => {
  it('names the limits of an app whose controller is missing, and no others', () => {
    const [finding, ...more] = unenforcedLimits([app], ['pids', 'cpu'])
    expect(more).to.deep.equal([])
    expect(finding).to.include({ code: 'limits.unenforced', app: 'duo', severity: 'warning' })
    expect(finding?.evidence).to.deep.equal(['MemoryMax=67108864'])
    expect(finding?.text).to.contain('memory')
    const none = unenforcedLimits([app], [])
    expect(none[0]?.evidence).to.deep.equal(['MemoryMax=67108864', 'TasksMax=50'])
  })

  it('says nothing where all controllers are there, and of apps without limits', () => {
    expect(unenforcedLimits([app], ['cpu', 'io', 'memory', 'pids'])).to.deep.equal([])
    expect(unenforcedLimits([installed()], [])).to.deep.equal([])
    const { committed: _, ...uninstalled } = app
    expect(unenforcedLimits([uninstalled], [])).to.deep.equal([])
  })
})
