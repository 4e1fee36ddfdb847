/** The notes app on a lab node, as its user sees it from another machine. */
import { expect } from 'chai'
import { waitFor } from './wait-for.ts'

/** A slow machine under load, after a reboot. */
const READY_TIMEOUT_MS = 120_000
const ANSWER_TIMEOUT_MS = 5000

export interface NotesClient {
  write(text: string): Promise<void>
  /** Resolves when the page shows the note. */
  readsBack(text: string): Promise<void>
}

export function notesAt(url: string): NotesClient {
  return {
    async write(text) {
      expect((await fetch(url, { method: 'POST', body: text })).status).to.equal(201)
    },
    async readsBack(text) {
      await waitFor(`the note "${text}"`, READY_TIMEOUT_MS, async () => {
        const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
        const answer = await fetch(url, { signal }).catch(() => undefined)
        return answer?.ok === true && (await answer.text()).includes(text)
      })
    },
  }
}
