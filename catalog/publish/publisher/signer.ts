/** The present key of a publisher's folder. */
import { join } from 'node:path'
import { PublishError } from '../../errors.ts'
import { didKeyOf } from '../../trust/did-key.ts'
import type { DraftPublisher } from '../draft.ts'
import type { AskPassphrase } from '../keys/keyring.ts'
import { readKeyFile } from '../keys/locator.ts'
import { type Signer, signerOf } from '../keys/signer.ts'
import type { OriginFolder } from '../origin-folder.ts'

/** Its file, in the folder of the publisher. */
export const PUBLISHER_KEY_FILE = 'keys/publisher.key'

/** @throws PublishError `KEY_MISSING`, `ORIGIN_MISSING` */
export async function publisherSigner(
  folder: OriginFolder,
  publisher: DraftPublisher,
  passphrase: AskPassphrase,
): Promise<Signer> {
  const path = join(folder.root, PUBLISHER_KEY_FILE)
  const signer = signerOf(await (await readKeyFile(path)).open(passphrase))
  if (didKeyOf(signer.publicKey) === publisher.rotations.at(-1)?.key) return signer
  throw new PublishError(
    'KEY_MISSING',
    `${path} is not the present key of the publisher; finish "archy origin publisher rotate"`,
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
