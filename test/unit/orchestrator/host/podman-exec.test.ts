import { expect } from 'chai'
import fc from 'fast-check'
import { createOutput } from '../../../../orchestrator/host/podman-exec.ts'

/** A frame as Podman sends it. */
function frame(stream: number, text: string): Buffer {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

describe('createOutput', () => {
  it('gives what was written to both streams, wherever the parts are cut', () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string()), { maxLength: 8 })
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 20 }), (list, size) => {
        const bytes = Buffer.concat(list.map(([stream, text]) => frame(stream, text)))
        const output = createOutput()
        for (let at = 0; at < bytes.length; at += size) output.add(bytes.subarray(at, at + size))
        expect(output.text()).to.equal(list.map(([, text]) => text).join(''))
      }),
    )
  })

  it('keeps the end of more than 64 KiB', () => {
    const output = createOutput()
    output.add(frame(1, `${'a'.repeat(70_000)}the end`))
    expect(output.text()).to.match(/^a+the end$/)
    expect(output.text().length).to.equal(64 * 1024)
  })
})
