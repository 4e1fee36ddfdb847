/** Lets callers that want the same look at the same time share it, and never gives one that began before it was asked for. */

export class Shared<T> {
  readonly #look: () => Promise<T>
  #running: Promise<T> | undefined
  #next: Promise<T> | undefined

  constructor(look: () => Promise<T>) {
    this.#look = look
  }

  /** A look that begins now, or right after the one under way. */
  get(): Promise<T> {
    if (this.#running === undefined) return this.#begin()
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  #begin(): Promise<T> {
    this.#next = undefined
    const mine = this.#look().finally(() => {
      if (this.#running === mine) this.#running = undefined
    })
    this.#running = mine
    return mine
  }
}
