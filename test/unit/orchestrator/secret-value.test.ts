import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { generateSecret } from '../../../orchestrator/secret-value.ts'

describe('generateSecret', () => {
  it('gives as many characters as asked for, of the kind asked for', () => {
    for (const length of [16, 17, 32, 255]) {
      expect(generateSecret('hex', length, randomBytes)).to.match(
        new RegExp(`^[0-9a-f]{${length}}$`),
      )
      expect(generateSecret('password', length, randomBytes)).to.match(
        new RegExp(`^[A-Za-z0-9_-]{${length}}$`),
      )
      expect(generateSecret('base64', length, randomBytes)).to.match(
        new RegExp(`^[A-Za-z0-9+/]{${length}}$`),
      )
    }
  })

  it('makes a UUID of version 4', () => {
    expect(generateSecret('uuid', 32, randomBytes)).to.match(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  })

  it('uses every character of a password equally often', () => {
    const every = generateSecret('password', 256, length =>
      Uint8Array.from({ length }, (_, index) => index),
    )
    const counts = new Map<string, number>()
    for (const character of every) counts.set(character, (counts.get(character) ?? 0) + 1)
    expect(new Set(counts.values())).to.deep.equal(new Set([4]))
  })
})
