/** The present key of a publisher's folder. */
import { PublishError } from '../../errors.ts'
import { didKeyOf } from '../../trust/did-key.ts'
import type { DraftPublisher } from '../draft.ts'
import { type Signer, signerOf } from '../keys/signer.ts'
import { readPrivateKey } from '../keys.ts'
import { keyPath, type OriginFolder } from '../origin-folder.ts'

/** Name of its file in the keys folder. */
export const PUBLISHER_KEY = 'publisher'

/** @throws PublishError `KEY_MISSING`, `ORIGIN_MISSING` */
export async function publisherSigner(
  folder: OriginFolder,
  publisher: DraftPublisher,
): Promise<Signer> {
  const signer = signerOf(await readPrivateKey(folder, PUBLISHER_KEY))
  if (didKeyOf(signer.publicKey) === publisher.rotations.at(-1)?.key) return signer
  throw new PublishError(
    'KEY_MISSING',
    `${keyPath(folder, PUBLISHER_KEY)} is not the present key of the publisher; finish "archy origin publisher rotate"`,
  )
}

export function publisherOf(
  folder: OriginFolder,
  publisher: DraftPublisher | null,
): DraftPublisher {
  if (publisher !== null) return publisher
  throw new PublishError(
    'ORIGIN_MISSING',
    `${folder.root} is an origin, not the folder of a publisher; "archy origin init --publisher" makes one`,
  )
}
