/** Makes the lab ready where this machine can host it: Debian packages, base system, app images. */
import { buildAppFolders } from './images/index.ts'
import { buildBase, ensureLabPackages, labMissing } from './lab/index.ts'

/** Resolves to `undefined` when the lab is ready, else to one line that says what is missing. `say` gets progress. */
export async function prepareLab(say: (line: string) => void): Promise<string | undefined> {
  const installed = await ensureLabPackages()
  if (installed.length > 0) say(`Installed Debian packages for the lab: ${installed.join(' ')}`)
  const missing = await labMissing()
  if (missing !== undefined) return missing
  await buildBase(say)
  await buildAppFolders({ mode: 'real', onProgress: say })
  return undefined
}
