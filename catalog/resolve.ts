/**
 * The one decision on which release of an app a node runs: for an install, an update and every later look alike. It says
 * why it chose, and why not the others. Pure.
 */
import { type Candidate, considered, considerInstalled, placeIn, reasonFor } from './considered.ts'
import type { AppOffer, CatalogEntry, Yank } from './entry.ts'
import type { Allowance } from './freshness.ts'
import {
  type Choice,
  type Considered,
  type Installed,
  LOCAL,
  type RefusalCode,
  type Resolution,
  type ResolveInput,
} from './resolution.ts'
import { isReached } from './rollout.ts'
import { isTakenBy, withoutOffer } from './without-offer.ts'

/** Total: every input has exactly one choice, and the explanation names at most one winner. */
export function resolveApp(input: ResolveInput): Resolution {
  const { offer, installed, retainedBy } = input
  if (typeof offer === 'string') return withoutOffer(input, offer)
  if (isTakenBy(input, offer.publisher)) {
    const why = `the app id ${offer.app} is taken by ${installed?.publisher ?? retainedBy}.${offer.app} on this machine, or by its data; two apps cannot share one id and its data`
    return { choice: { kind: 'none', code: 'APP_ID_TAKEN', why }, considered: [], notices: [] }
  }
  return new Decision(input, offer).resolve()
}

class Decision {
  readonly #input: ResolveInput
  readonly #offer: AppOffer
  readonly #installed: Installed | undefined
  readonly #lost: Considered[] = []
  readonly #notices: string[] = []

  constructor(input: ResolveInput, offer: AppOffer) {
    this.#input = input
    this.#offer = offer
    const { installed } = input
    this.#installed = installed?.publisher === LOCAL ? { ...installed, seq: 0 } : installed
  }

  resolve(): Resolution {
    const { installed: onDisk, local, allows } = this.#input
    if (local !== undefined) this.#lose({ from: 'local', entry: local }, 'the catalog has the app')
    this.#noteInstalled()
    const found = this.#target()
    if (found === undefined) return this.#nothing()
    const installed = this.#installed
    if (installed === undefined) return this.#first(found, allows)
    const { entry } = found
    if (entry.seq === installed.seq && entry.manifest.blake3 === installed.manifest) {
      return this.#keep(`it is what ${found.from} says`)
    }
    const kept = this.#whyNotNow(entry, installed)
    if (kept !== undefined) {
      this.#lose(found, kept)
      return this.#keep(kept)
    }
    if (onDisk !== undefined) this.#lost.push(considerInstalled(onDisk, false, 'it is replaced'))
    return this.#install(found, entry.seq < installed.seq ? installed.seq : undefined)
  }

  /** The best release that may run here, whatever is installed. */
  #target(): Candidate | undefined {
    const { wish } = this.#input
    const pinned = wish.pin === undefined ? undefined : this.#pinned(wish.pin)
    if (pinned === 'stay') return this.#asCandidate()
    if (pinned !== undefined) return pinned
    if (wish.pin !== undefined && !this.#mustLeave()) {
      return this.#installed === undefined ? undefined : this.#asCandidate()
    }
    return [...this.#next(), this.#head(), ...this.#olderOnes()].find(candidate => {
      const why = this.#whyNever(candidate.entry)
      if (why !== undefined) this.#lose(candidate, why)
      return why === undefined
    })
  }

  #head(): Candidate {
    return { from: 'head', entry: this.#offer.head }
  }

  /** Only the releases of this channel may be chosen without a pin. */
  #next(): readonly Candidate[] {
    const { next, publisher, app } = this.#offer
    if (next === undefined) return []
    const candidate = { from: 'next', entry: next.entry }
    const { seed, nowMs } = this.#input
    if (isReached(next.rollout, `${publisher}.${app}`, seed, nowMs)) return [candidate]
    // A node that was reached before stays there: the share only grows, and a halt stops, it does not turn back.
    const why = next.rollout.halted
      ? 'its rollout is halted'
      : 'its rollout has not reached this node'
    this.#lose(candidate, why)
    return []
  }

  /** Where the head itself was withdrawn: for a first install, the newest that was not. */
  #olderOnes(): readonly Candidate[] {
    const { older } = this.#offer
    return [...older].sort((a, b) => b.seq - a.seq).map(entry => ({ from: 'older', entry }))
  }

  #pinned(pin: string): Candidate | 'stay' | undefined {
    const { siblings } = this.#input
    if (this.#installed?.version === pin && !this.#mustLeave()) return 'stay'
    const all = [this.#offer, ...siblings].flatMap(offer => [
      { from: placeIn(this.#offer, offer, 'head'), entry: offer.head },
      ...(offer.next
        ? [{ from: placeIn(this.#offer, offer, 'next'), entry: offer.next.entry }]
        : []),
      ...offer.older.map(entry => ({ from: placeIn(this.#offer, offer, 'older'), entry })),
    ])
    const found = all.find(({ entry }) => entry.version === pin)
    const why = found === undefined ? 'the catalog no longer lists it' : this.#whyNever(found.entry)
    if (why === undefined) return found
    if (found !== undefined) this.#lose(found, why)
    this.#notices.push(`the pinned version ${pin} cannot be had: ${why}`)
    return undefined
  }

  /** Why a release is never installed here, whoever asks. */
  #whyNever({ seq }: CatalogEntry): string | undefined {
    const yank = this.#yankOf(seq)
    if (yank !== undefined) return `it was withdrawn (${yank.severity}): ${yank.reason}`
    if (seq < this.#offer.floor)
      return `it is below the lowest number that may run, ${this.#offer.floor}`
    return undefined
  }

  #yankOf(seq: number): Yank | undefined {
    return this.#offer.yanked.find(yank => yank.seq === seq)
  }

  /** `replace` is the one thing that overrules a pin. */
  #mustLeave(): boolean {
    const installed = this.#installed
    return installed !== undefined && this.#yankOf(installed.seq)?.action === 'replace'
  }

  #noteInstalled(): void {
    const installed = this.#installed
    const { standing, floor, publisher } = this.#offer
    if (installed === undefined) return
    const yank = this.#yankOf(installed.seq)
    if (yank !== undefined) {
      this.#notices.push(
        `${installed.version} was withdrawn by its publisher (${yank.severity}): ${yank.reason}`,
      )
    }
    if (installed.seq < floor) {
      this.#notices.push(`${installed.version} is older than its publisher still supports`)
    }
    if (standing === 'revoked') {
      this.#notices.push(
        `the origin withdrew the publisher ${publisher}; what runs is yours to keep or remove`,
      )
    }
  }

  /** Why what is installed is not moved to `entry` now. */
  #whyNotNow(entry: CatalogEntry, installed: Installed): string | undefined {
    const { allows } = this.#input
    const { standing, rollbackTo } = this.#offer
    if (standing === 'revoked') return 'its publisher was withdrawn'
    if (standing === 'stale') return "its publisher's list is expired"
    const unasked = this.#whyUnasked()
    if (unasked !== undefined) return unasked
    if (entry.seq < installed.seq) {
      const isSigned = rollbackTo?.to === entry.seq && rollbackTo.from.includes(installed.seq)
      if (!isSigned) return `it is older than the installed number ${installed.seq}`
      if (rollbackTo?.dataCompatible !== true) {
        const why = 'its publisher asks to go back, but its data would not survive that'
        this.#notices.push(`${why}; export your data, uninstall, and install again`)
        return why
      }
    }
    return allows.update ? undefined : (allows.reasons[0] ?? 'automatic updates are paused')
  }

  /** A stranger needs the owner's word, also one that was no stranger when its app was installed. */
  #whyUnasked(): string | undefined {
    const { tier, did, publisher } = this.#offer
    const { wish, name } = this.#input
    if (tier !== 'feed' || (did !== undefined && wish.trusts === did)) return undefined
    const fix = `archy app install ${name} --trust-publisher ${did ?? '<did>'}`
    return `nobody but ${did ?? publisher} itself vouches for ${name}; if you trust it: ${fix}`
  }

  #first(found: Candidate, allows: Allowance): Resolution {
    const { standing, publisher } = this.#offer
    if (standing === 'revoked') {
      return this.#refuse(
        found,
        'PUBLISHER_REVOKED',
        `the origin withdrew the publisher ${publisher}`,
      )
    }
    const unasked = this.#whyUnasked()
    if (unasked !== undefined) return this.#refuse(found, 'CONSENT_REQUIRED', unasked)
    const reason = allows.reasons[0] ?? 'the catalog does not allow it now'
    if (allows.install === 'no' || allows.install === 'accept-stale') {
      return this.#refuse(found, 'CATALOG_NOT_CURRENT', reason)
    }
    if (allows.install === 'notice') this.#notices.push(reason)
    if (standing === 'stale') this.#notices.push("its publisher's list is expired")
    return this.#install(found, undefined)
  }

  #install(found: Candidate, stepsBackFrom: number | undefined): Resolution {
    const { wish } = this.#input
    const source = this.#offer.tier === 'feed' ? 'feed' : 'catalog'
    const why = wish.pin === found.entry.version ? 'the owner pinned it' : reasonFor(found.from)
    return this.#done(
      {
        kind: 'install',
        entry: found.entry,
        source,
        ...(stepsBackFrom === undefined ? {} : { stepsBackFrom }),
      },
      considered(
        found,
        true,
        stepsBackFrom === undefined ? why : 'the publisher signed a step back',
      ),
    )
  }

  #keep(why: string): Resolution {
    const { installed } = this.#input
    return this.#done({ kind: 'keep' }, installed && considerInstalled(installed, true, why))
  }

  #nothing(): Resolution {
    const { wish, installed } = this.#input
    if (installed !== undefined) return this.#keep('nothing better may be installed')
    const [code, why] =
      wish.pin === undefined
        ? (['RELEASE_WITHDRAWN', this.#lost.at(-1)?.why ?? 'no release may be installed'] as const)
        : (['PIN_UNAVAILABLE', this.#notices.at(-1) ?? `no ${wish.pin}`] as const)
    return this.#done({ kind: 'none', code, why }, undefined)
  }

  #refuse(found: Candidate, code: RefusalCode, why: string): Resolution {
    this.#lose(found, why)
    return this.#done({ kind: 'none', code, why }, undefined)
  }

  #done(choice: Choice, winner: Considered | undefined): Resolution {
    const all = winner === undefined ? this.#lost : [winner, ...this.#lost]
    return { choice, considered: all, notices: this.#notices }
  }

  #lose(candidate: Candidate, why: string): void {
    this.#lost.push(considered(candidate, false, why))
  }

  /** What is installed, as the target: nothing is to be moved. */
  #asCandidate(): Candidate | undefined {
    const installed = this.#installed
    if (installed === undefined) return undefined
    const { publisher, app, channel, head } = this.#offer
    const manifest = { ...head.manifest, blake3: installed.manifest as typeof head.manifest.blake3 }
    const { seq, version } = installed
    const entry = { publisher, app, channel, seq, version, manifest, totalSize: 0 }
    return { from: 'the pin', entry }
  }
}
