/** Keeps every proof of a fork that this node met, from whoever it came, and says which of them are not settled. */
import { join } from 'node:path'
import { messageOf } from '../src/core/errors.ts'
import type { Log } from '../src/core/log.ts'
import { proofOf } from './attempt.ts'
import { CatalogError } from './errors.ts'
import { checkProof, type ForkProof, findConflict, isSettled } from './fork.ts'
import { keyOf, PROOF_COUNT_MAX, readProofs, writeProof } from './proofs.ts'
import { STRICT, type State } from './state.ts'
import { readTimestamp } from './trust/accept.ts'

export interface ForkWatch {
  /** Settled or not. */
  all(): readonly ForkProof[]
  open(state: State): readonly ForkProof[]
  /** True when it was not known. Never throws: what cannot be written is still known until the next start. */
  keep(proof: ForkProof): Promise<boolean>
  /** A whole timestamp that a peer sent. */
  judge(state: State, bytes: Uint8Array): Promise<'known' | 'newer' | 'forked' | 'refused'>
  /** Two files that a peer sent. True when they prove a fork that was not known. */
  judgeProof(state: State, a: Uint8Array, b: Uint8Array): Promise<boolean>
}

export async function openForkWatch(catalogFolder: string, log: Log): Promise<ForkWatch> {
  const folder = join(catalogFolder, 'forks')
  const stored = await readProofs(folder, log)
  const proofs = new Map(stored.map(proof => [keyOf(proof), proof]))

  async function keep(proof: ForkProof): Promise<boolean> {
    const key = keyOf(proof)
    if (proofs.has(key) || proofs.size >= PROOF_COUNT_MAX) return false
    proofs.set(key, proof)
    const { kind, version, contents } = proof
    log.error('catalog fork', { kind, version, contents: contents.join(' ') })
    try {
      await writeProof(folder, proof)
    } catch (error) {
      log.error('proof of a fork could not be kept', { error: messageOf(error) })
    }
    return true
  }

  return {
    all: () => [...proofs.values()],
    open({ trusted: { root, targets } }) {
      return [...proofs.values()].filter(proof => !isSettled(proof, root, targets, STRICT))
    },
    keep,
    async judge(state, bytes) {
      const { trusted, history } = state
      const seen = refusedAs('refused', () => readTimestamp(trusted.root, bytes, STRICT))
      if (seen === 'refused') return 'refused'
      if (history.has(seen.content)) return 'known'
      const conflict = findConflict(history.values(), seen)
      if (conflict === undefined) {
        return seen.version > (trusted.timestamp?.version ?? 0) ? 'newer' : 'known'
      }
      await keep(proofOf(conflict, state, bytes, seen.content))
      return 'forked'
    },
    async judgeProof(state, a, b) {
      const proof = refusedAs(undefined, () => checkProof(state.trusted.root, [a, b], STRICT))
      return proof !== undefined && (await keep(proof))
    },
  }
}

function refusedAs<T, R>(refused: R, check: () => T): T | R {
  try {
    return check()
  } catch (error) {
    if (error instanceof CatalogError) return refused
    throw error
  }
}
