/**
 * Replays recorded runs of the official TUF conformance suite.
 * Goal: our verifier ends every step as the suite demands, with exactly the trusted bytes it demands.
 * Method: answer each request from the recording, take `now` from it, compare exit code and stored files.
 */
import { expect } from 'chai'
import { type Recording, replayCase } from '../support/tuf/recording.ts'
import { readVectors } from '../support/vectors.ts'

const recording = readVectors('tuf-conformance-part.json.gz') as Recording | undefined

if (recording !== undefined) {
  describe('recorded TUF conformance suite', () => {
    it('has all of its cases', () => expect(recording.cases).to.have.length(74))

    for (const recorded of recording.cases) {
      it(recorded.name, async () => {
        expect(await replayCase(recorded, recording.blobs)).to.deep.equal([])
      })
    }
  })
}
