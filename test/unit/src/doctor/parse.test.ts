import { expect } from 'chai'
import {
  mountOf,
  parseIdMap,
  parseIdRanges,
  parseMounts,
  parseSockets,
  parseTimeSpan,
} from '../../../../src/doctor/parse.ts'

describe('what the doctor reads', () => {
  it('reads subordinate ids and leaves out what is none', () => {
    const text = '# comment\nada:100000:65536\n1001:165536:65536\nbad:x:1\n\nbob:1:2:3\n'
    expect(parseIdRanges(text)).to.deep.equal([
      { owner: 'ada', start: 100_000, count: 65_536 },
      { owner: '1001', start: 165_536, count: 65_536 },
    ])
  })

  it('reads an id map', () => {
    expect(
      parseIdMap('         0       1000          1\n         1     100000      65536\n'),
    ).to.deep.equal([
      { inside: 0, outside: 1000, count: 1 },
      { inside: 1, outside: 100_000, count: 65_536 },
    ])
  })

  it('finds the mount of a path: the longest, and of two at one place the later', () => {
    const mounts = parseMounts(
      [
        '1 0 0:1 / / rw - overlay root rw',
        '2 1 8:1 / /srv/my\\040data rw,noatime shared:1 - vfat /dev/sda1 rw',
        '3 1 8:2 / /home rw - ext4 /dev/sda2 rw',
        '4 1 8:3 / /home rw - xfs /dev/sda3 ro,attr2',
      ].join('\n'),
    )
    expect(mountOf(mounts, '/srv/my data/x')?.fileSystem).to.equal('vfat')
    expect(mountOf(mounts, '/srv/my data2')?.fileSystem).to.equal('overlay')
    expect(mountOf(mounts, '/home/ada')).to.deep.equal({
      mountPoint: '/home',
      fileSystem: 'xfs',
      options: ['rw', 'ro'],
    })
  })

  it('reads spans of time as systemctl prints them', () => {
    expect(parseTimeSpan('2min')).to.equal(120_000)
    expect(parseTimeSpan('1h 30min 1.500s')).to.equal(5_401_500)
    expect(parseTimeSpan('infinity')).to.equal(Number.POSITIVE_INFINITY)
    expect(parseTimeSpan('soon')).to.equal(undefined)
    expect(parseTimeSpan('')).to.equal(undefined)
  })

  it('reads who listens, and not who is connected', () => {
    const tcp = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0',
      '   1: 0100007F:1F91 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0',
    ].join('\n')
    expect(parseSockets(tcp, 'tcp')).to.deep.equal([{ port: 8081, uid: 1000, inode: 4242 }])
    const udp =
      ' 5: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 77 2 0 0'
    expect(parseSockets(udp, 'udp')).to.deep.equal([{ port: 53, uid: 0, inode: 77 }])
  })
})
