/** An `.image` file becomes a service that runs `podman image pull`. Pure. */
import { type Conversion, makeOneshot, podmanCommand } from './conversion.ts'
import { booleanFlags, type FlagTable, textFlags } from './flags.ts'
import { QuadletProblem } from './problem.ts'

const TEXT: FlagTable = {
  Arch: '--arch',
  AuthFile: '--authfile',
  CertDir: '--cert-dir',
  Creds: '--creds',
  DecryptionKey: '--decryption-key',
  OS: '--os',
  Variant: '--variant',
}
const BOOLEAN: FlagTable = { AllTags: '--all-tags', TLSVerify: '--tls-verify' }

/** Every key of `[Image]` that Podman 5.4.2 knows. */
export const IMAGE_KEYS: ReadonlySet<string> = new Set([
  ...[TEXT, BOOLEAN].flatMap(Object.keys),
  ...['ContainersConfModule', 'GlobalArgs', 'Image', 'ImageTag', 'PodmanArgs', 'ServiceName'],
])

/** @throws QuadletProblem */
export function convertImage(conversion: Conversion): void {
  const { own, draft } = conversion
  const image = own.filled('Image')
  if (image === undefined) throw new QuadletProblem('no Image key specified')
  draft.addCommand('Service', 'ExecStart', [
    ...podmanCommand(conversion),
    ...['image', 'pull'],
    ...textFlags(own, TEXT),
    ...booleanFlags(own, BOOLEAN),
    ...own.args('PodmanArgs'),
    image,
  ])
  makeOneshot(conversion)
}
