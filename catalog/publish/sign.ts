/** The first root of an origin. Pure: keys and time in, the bytes of the file out. */
import {
  formatTime,
  type PublicKey,
  type RootDocument,
  SPEC_VERSION,
  TOP_ROLES,
  type TopRole,
} from '../trust/document.ts'
import { keyIdOf } from '../trust/key.ts'
import { type Signer, signWith } from './keys/signer.ts'
import { DAY_MS, TERMS } from './terms.ts'

/** One key for each role. */
export async function signRoot(
  signers: Readonly<Record<TopRole, Signer>>,
  nowMs: number,
): Promise<Uint8Array> {
  const keys = TOP_ROLES.map((role): PublicKey => signers[role].publicKey)
  const signedBy = (role: TopRole) => ({ keyids: [signers[role].keyId], threshold: 1 })
  const root: RootDocument = {
    _type: 'root',
    spec_version: SPEC_VERSION,
    version: 1,
    expires: formatTime(nowMs + TERMS.root.validDays * DAY_MS),
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map(key => [keyIdOf(key), key])),
    roles: {
      root: signedBy('root'),
      timestamp: signedBy('timestamp'),
      snapshot: signedBy('snapshot'),
      targets: signedBy('targets'),
    },
  }
  return signWith(root, [signers.root])
}
