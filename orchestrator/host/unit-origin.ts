/** Which file a user unit was made of: the one that a generator read, or else its own. */
import { runOrThrow } from './run.ts'

export async function unitFile(unit: string): Promise<string | undefined> {
  const shown = await runOrThrow([
    ...['systemctl', '--user', 'show', '--property=SourcePath', '--property=FragmentPath'],
    ...['--', unit],
  ])
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=(/.+)$`, 'm').exec(shown)?.[1]
  return value('SourcePath') ?? value('FragmentPath')
}
