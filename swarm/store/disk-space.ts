/** Whether a download fits: asked before its first byte, with all other downloads counted as if they were done. */
import { statfs } from 'node:fs/promises'
import { FileError } from '../../src/core/files.ts'

/** @throws FileError `DISK_FULL` when `neededBytes` would leave less than `minFreeBytes` free. */
export async function checkDiskSpace(
  folder: string,
  neededBytes: number,
  minFreeBytes: number,
): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  if (freeBytes - neededBytes >= minFreeBytes) return
  throw new FileError(
    'DISK_FULL',
    `${neededBytes} bytes do not fit in ${folder}: ${freeBytes} are free and ${minFreeBytes} must stay free`,
  )
}
