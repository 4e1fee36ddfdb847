/** Opens the place that a person named. */
import type { Destination } from './destination.ts'
import { openFolderDestination } from './folder.ts'
import type { S3Options } from './s3.ts'

/**
 * A folder, or `s3://bucket/prefix`.
 * @throws PublishError `DESTINATION_FAILED`
 */
export async function openDestination(place: string, options: S3Options): Promise<Destination> {
  if (!place.startsWith('s3://')) return openFolderDestination(place)
  // The client of S3 is large; who publishes to a folder does not load it.
  const { openS3Destination } = await import('./s3.ts')
  return openS3Destination(place, options)
}
