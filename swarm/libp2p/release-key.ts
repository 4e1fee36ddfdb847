/** The DHT key of a release: whoever does not know the network cannot test it against digests that they know. Pure. */
import { createHash, createHmac } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { type Digest, digestBytes } from '../../src/core/digest.ts'

const RAW_CODEC = 0x55
const SHA256_CODE = 0x12

export function releaseKey(networkName: string, release: Digest): CID {
  const secret = createHmac('sha256', networkName).update(digestBytes(release)).digest()
  const key = createHash('sha256').update(secret).digest()
  return CID.createV1(RAW_CODEC, create(SHA256_CODE, key))
}
