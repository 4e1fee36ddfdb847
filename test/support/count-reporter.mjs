/** Mocha's spec reporter, which also writes how many tests passed and failed to the file named by ARCHY_TEST_COUNTS. */
import { writeFileSync } from 'node:fs'
import mocha from 'mocha'

export default class CountReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures } = runner.stats
      writeFileSync(
        process.env.ARCHY_TEST_COUNTS,
        JSON.stringify({ passed: passes, failed: failures }),
      )
    })
  }
}
