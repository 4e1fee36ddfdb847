import { expect } from 'chai'
import { parseHostLook, tracesOf } from '../../gate/host-look.ts'

const LOOK = parseHostLook(`# containers
app-notes_db 0a1b running notes 1.0.0
app-seven_db 2c3d exited seven 2.0.0
# units
app-notes.target active
app-notes-network.service active
# files
app-notes_db.container
app-seven_db.container
# networks
app-notes
# secrets
app-notes_0123456789abcdef
# images
localhost/archy/notes/db:g1
docker.io/library/notes:1
# volumes
`)

describe('a look at a host from outside of the daemon', () => {
  it('reads containers and units', () => {
    expect(LOOK.containers[1]).to.deep.equal({
      ...{ name: 'app-seven_db', id: '2c3d', state: 'exited', app: 'seven', version: '2.0.0' },
    })
    expect(LOOK.units.get('app-notes.target')).to.equal('active')
  })

  it('tells everything that one app left, and nothing of another', () => {
    expect(tracesOf('notes', LOOK)).to.deep.equal([
      'container app-notes_db',
      'unit app-notes.target',
      'unit app-notes-network.service',
      'file app-notes_db.container',
      'network app-notes',
      'secret app-notes_0123456789abcdef',
      'image localhost/archy/notes/db:g1',
    ])
    expect(tracesOf('not', LOOK)).to.deep.equal([])
  })
})
