import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { askLab, checkSocketPath, openControl, type Status } from '../../../support/lab/control.ts'
import { LabError } from '../../../support/lab/errors.ts'

const STATUS: Status = { nodes: {}, hosts: { origin: { ip: '10.99.0.101' } } }

describe("the lab's control socket", () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'control-'))
    path = join(folder, 'control')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('hands the request over and the status back', async () => {
    const seen: unknown[] = []
    await using _control = await openControl(path, async request => {
      seen.push(request)
      return STATUS
    })
    expect(await askLab(path, { verb: 'partition', a: 'n1', b: 'n2' })).to.deep.equal(STATUS)
    expect(seen).to.deep.equal([{ verb: 'partition', a: 'n1', b: 'n2' }])
  })

  it('carries a failure with its code', async () => {
    await using _control = await openControl(path, async () => {
      throw new LabError('LAB_NODE_OFF', 'node n1 is off')
    })
    const error = await askLab(path, { verb: 'reboot', name: 'n1' }).catch(reason => reason)
    expect(error).to.include({ code: 'LAB_NODE_OFF', message: 'node n1 is off' })
  })

  it('refuses what is no request', async () => {
    await using _control = await openControl(path, async () => STATUS)
    const socket = connect(path)
    socket.end('{"verb":"format"}\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(JSON.parse(text)).to.have.property('code', 'LAB_COMMAND_FAILED')
  })

  it('says that no lab is running when nobody answers', async () => {
    const error = await askLab(path, { verb: 'status' }).catch(reason => reason)
    expect(error).to.include({ code: 'LAB_NOT_RUNNING' })
  })

  it('refuses a path that the kernel cannot take', () => {
    expect(() => checkSocketPath(`/${'x'.repeat(107)}`)).to.throw('XDG_CACHE_HOME')
    expect(checkSocketPath(`/${'x'.repeat(106)}`)).to.have.length(107)
  })
})
