/** Refuses Ed25519 public keys for which signature checks differ between OpenSSL versions. */
import { ed25519 } from '@noble/curves/ed25519.js'

/**
 * True for a canonical point of the prime-order group. Keys of small order accept forged signatures in some
 * OpenSSL versions and not in others, so two nodes could disagree about one catalog.
 */
export function isSoundEd25519(publicHex: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(publicHex)) return false
  try {
    const point = ed25519.Point.fromHex(publicHex, false)
    return !point.isSmallOrder() && point.isTorsionFree()
  } catch {
    // The library throws for bytes that are no point of the curve.
    return false
  }
}
