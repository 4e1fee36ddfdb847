/** The peers that may be served next, the one with the fewest bytes on their way first: a heap that knows each place. Pure. */

export interface Line {
  /** Bytes granted and not yet released. */
  held: number
  /** Grows with everything it gets and gives back: among equals the one that has had nothing for longest goes first. */
  turn: number
  readonly waiters: { readonly peerId: string; readonly bytes: number; readonly go: () => void }[]
  /** −1 when it is not in the heap. Kept by the heap. */
  heapIndex: number
}

export interface LineHeap {
  first(): Line | undefined
  /** Puts the line where it belongs now, or takes it out. To be called after every change of it. */
  place(line: Line, isIn: boolean): void
}

export function createLineHeap(): LineHeap {
  const heap: Line[] = []
  const isBefore = (a: Line, b: Line): boolean =>
    a.held < b.held || (a.held === b.held && a.turn < b.turn)
  const put = (line: Line, index: number): void => {
    heap[index] = line
    line.heapIndex = index
  }
  const rise = (line: Line): void => {
    let index = line.heapIndex
    for (; index > 0; ) {
      const parent = heap[(index - 1) >> 1]
      if (parent === undefined || !isBefore(line, parent)) break
      put(parent, index)
      index = (index - 1) >> 1
    }
    put(line, index)
  }
  const sink = (line: Line): void => {
    let index = line.heapIndex
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      const child =
        left !== undefined && right !== undefined && isBefore(right, left) ? right : left
      if (child === undefined || !isBefore(child, line)) break
      const from = child.heapIndex
      put(child, index)
      index = from
    }
    put(line, index)
  }
  const remove = (line: Line): void => {
    const index = line.heapIndex
    const last = heap.pop()
    line.heapIndex = -1
    if (last === undefined || last === line) return
    put(last, index)
    rise(last)
    sink(last)
  }
  return {
    first: () => heap[0],
    place(line, isIn) {
      if (!isIn) {
        if (line.heapIndex !== -1) remove(line)
        return
      }
      if (line.heapIndex === -1) {
        heap.push(line)
        line.heapIndex = heap.length - 1
      }
      rise(line)
      sink(line)
    },
  }
}
