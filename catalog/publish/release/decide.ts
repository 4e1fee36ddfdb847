/** Applies a decision to the draft of an origin folder: one writer at a time, all of it or nothing. */
import { type Draft, readDraft, writeDraft } from '../draft.ts'
import { lockOrigin, originFolder } from '../origin-folder.ts'

/**
 * @param change throws when the decision is refused; the draft is then as it was
 * @returns the draft after it; nodes see it after `publishOrigin`
 * @throws PublishError `ORIGIN_MISSING`, `ORIGIN_OUTDATED`, `ORIGIN_DAMAGED`, `ORIGIN_BUSY`
 * @throws FileError `DISK_FULL`
 */
export async function decideRelease(
  originPath: string,
  change: (draft: Draft) => Draft,
): Promise<Draft> {
  const folder = originFolder(originPath)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  const before = await readDraft(folder)
  const after = change(before)
  if (after !== before) await writeDraft(folder, after)
  return after
}

/** The draft as it stands. @throws PublishError as `decideRelease` */
export async function readReleases(originPath: string): Promise<Draft> {
  return readDraft(originFolder(originPath))
}
