/** What every root file system has besides programs: accounts, top-level folders, the links of a merged /usr. Pure. */
import { fileOf, folderOf, type LayerEntry, linkOf } from './entry.ts'
import { APP_USER_ID, APPLETS } from './recipes.ts'

const PASSWD = `root:x:0:0:root:/:/bin/sh
app:x:${APP_USER_ID}:${APP_USER_ID}:app:/tmp:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
`
const GROUP = `root:x:0:
app:x:${APP_USER_ID}:
nogroup:x:65534:
`

export function skeletonEntries(): readonly LayerEntry[] {
  return [
    ...['bin', 'lib', 'lib64', 'sbin'].map(name => linkOf(name, `usr/${name}`)),
    ...['dev', 'proc', 'run', 'sys', 'usr/lib', 'usr/lib64', 'usr/sbin'].map(name =>
      folderOf(name),
    ),
    folderOf('tmp', { mode: 0o1777 }),
    fileOf('etc/passwd', PASSWD),
    fileOf('etc/group', GROUP),
    fileOf('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    ...APPLETS.map(applet => linkOf(`usr/bin/${applet}`, 'busybox')),
  ]
}
