/** What runs where the catalog has no such app: a manifest of the owner's own, or what is installed already. Pure. */
import { considered, considerInstalled } from './considered.ts'
import { type Considered, LOCAL, type Resolution, type ResolveInput } from './resolution.ts'

export function withoutOffer(input: ResolveInput, missing: string): Resolution {
  const { local, installed } = input
  const whyNot = local === undefined ? undefined : whyNotLocal(input)
  if (local !== undefined && whyNot === undefined) {
    const isSame = installed?.publisher === LOCAL && installed.manifest === local.manifest.blake3
    const why = `${missing}; this machine has a manifest of its own`
    return {
      choice: isSame ? { kind: 'keep' } : { kind: 'install', entry: local, source: 'local' },
      considered: [considered({ from: 'local', entry: local }, true, why)],
      notices: [],
    }
  }
  const lost: readonly Considered[] =
    local === undefined ? [] : [considered({ from: 'local', entry: local }, false, whyNot ?? '')]
  if (installed === undefined) {
    const choice = { kind: 'none', code: 'APP_UNKNOWN', why: whyNot ?? missing } as const
    return { choice, considered: lost, notices: [] }
  }
  return {
    choice: { kind: 'keep' },
    considered: [
      considerInstalled(installed, true, `${missing}; what is installed runs on`),
      ...lost,
    ],
    notices: [missing],
  }
}

/** A manifest of the owner's own may be replaced by anybody's release, and replaces nobody's. */
export function isTakenBy(
  { installed, retainedBy }: Pick<ResolveInput, 'installed' | 'retainedBy'>,
  publisher: string,
): boolean {
  const holder = installed?.publisher ?? retainedBy
  return holder !== undefined && holder !== publisher && holder !== LOCAL
}

function whyNotLocal(input: ResolveInput): string | undefined {
  const { local, installed, retainedBy, siblings, wish } = input
  if (isTakenBy(input, LOCAL)) {
    return `the app was installed from ${installed?.publisher ?? retainedBy}; a manifest on this machine never takes over its data`
  }
  const [sibling] = siblings
  if (sibling !== undefined) return `the catalog has the app, in the channel ${sibling.channel}`
  if (wish.pin !== undefined && wish.pin !== local?.version) return `the owner pinned ${wish.pin}`
  return undefined
}
