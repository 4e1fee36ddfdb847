import { expect } from 'chai'
import { ManifestError } from '../../../../catalog/errors.ts'
import { authorManifestSchema } from '../../../../catalog/manifest/schema.ts'
import { checkVolumes } from '../../../../catalog/publish/volumes.ts'

function check(volumes: readonly string[], mounts: readonly object[]): void {
  const manifest = authorManifestSchema.parse({
    apiVersion: 'archy.app/v1',
    id: 'app',
    version: '1',
    title: 'App',
    data: { db: {} },
    images: { db: { oci: 'db' } },
    components: { main: { image: 'db', mounts } },
  })
  checkVolumes(manifest, new Map([['db', volumes]]), 'archy.yaml')
}

describe('checkVolumes', () => {
  it('takes an image without volumes, and volumes that are mounted', () => {
    check([], [])
    check(
      ['/data', 'cache/'],
      [
        { data: 'db', path: '/data' },
        { tmpfs: '1MiB', path: '/cache' },
      ],
    )
  })

  it('names component, image and path of a volume that nothing is mounted on', () => {
    expect(() => check(['/data'], []))
      .to.throw(ManifestError)
      .with.deep.property('problems', [
        'archy.yaml: components.main.mounts: image db has the volume "/data", which no mount covers; ' +
          'its data would be lost at the next stop; add { data: <name>, path: /data }, or tmpfs in place of data ' +
          '[image.volumes]',
      ])
  })

  it('does not take a mount above the volume: Podman puts its own volume over it', () => {
    expect(() => check(['/var/lib/db'], [{ data: 'db', path: '/var/lib' }])).to.throw(ManifestError)
  })
})
