/** A `.volume` file becomes a service that runs `podman volume create`. Pure. */
import { type Conversion, imageSource, makeOneshot, podmanCommand } from './conversion.ts'
import { pairFlags } from './flags.ts'
import { QuadletProblem } from './problem.ts'

/** Every key of `[Volume]` that Podman 5.4.2 knows. */
export const VOLUME_KEYS: ReadonlySet<string> = new Set([
  ...['ContainersConfModule', 'Copy', 'Device', 'Driver', 'GlobalArgs', 'Group', 'Image', 'Label'],
  ...['Options', 'PodmanArgs', 'ServiceName', 'Type', 'User', 'VolumeName'],
])

/** @throws QuadletProblem */
export function convertVolume(conversion: Conversion, resource: string): void {
  const { own, draft } = conversion
  const driver = own.text('Driver')
  draft.addCommand('Service', 'ExecStart', [
    ...podmanCommand(conversion),
    ...['volume', 'create', '--ignore'],
    ...(driver === undefined ? [] : ['--driver', driver]),
    ...(driver === 'image' ? imageOption(conversion) : mountOptions(conversion)),
    ...pairFlags(own, { Label: '--label' }),
    ...own.args('PodmanArgs'),
    resource,
  ])
  makeOneshot(conversion)
}

function imageOption(conversion: Conversion): readonly string[] {
  const image = conversion.own.text('Image')
  if (image === undefined) {
    throw new QuadletProblem('the key Image is mandatory when using the image driver')
  }
  return ['--opt', `image=${imageSource(conversion, image)}`]
}

function mountOptions({ own, draft }: Conversion): readonly string[] {
  const device = own.filled('Device')
  const type = own.filled('Type')
  const options = own.filled('Options')
  const lone = type === undefined ? (options === undefined ? undefined : 'Options') : 'Type'
  if (device === undefined && lone !== undefined) {
    throw new QuadletProblem(`key ${lone} can't be used without Device`)
  }
  if (type === 'bind' && device !== undefined) draft.add('Unit', 'RequiresMountsFor', device)
  const copy = own.flag('Copy')
  const id = (key: string, name: string) =>
    own.text(key) === undefined ? [] : [`${name}=${Number(own.text(key)) || 0}`]
  const o = [
    ...id('User', 'uid'),
    ...id('Group', 'gid'),
    ...(options === undefined ? [] : [options]),
  ]
  return [
    copy === undefined ? undefined : copy ? 'copy' : 'nocopy',
    device === undefined ? undefined : `device=${device}`,
    type === undefined ? undefined : `type=${type}`,
    o.length === 0 ? undefined : `o=${o.join(',')}`,
  ].flatMap(option => (option === undefined ? [] : ['--opt', option]))
}
