import { expect } from 'chai'
import { ConfigError, parseConfig } from '../../../src/config.ts'

const MINIMAL = 'network: home\norigin: {urls: ["https://origin.example/apps"]}\n'

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'config.yaml')
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('parseConfig', () => {
  it('needs only the network and the origin', () => {
    const config = parseConfig(MINIMAL, 'config.yaml')
    expect(config.origin.urls).to.deep.equal(['https://origin.example/apps/'])
    expect(config.catalog.refreshInterval).to.equal(600_000)
    expect(config.swarm.uploadLimit).to.equal(null)
    expect(config.orchestrator.mode).to.equal('systemd')
  })
  it('names three mistakes at once, each with its line and column', () => {
    const text = 'network: Home\norigin: {urls: [ftp://x]}\nswarm:\n  listn: []\n'
    expect(problemsOf(text)).to.deep.equal([
      'config.yaml:1:10: network: must be at most 32 lower-case letters, digits and dashes',
      'config.yaml:2:17: origin.urls[0]: Invalid URL',
      'config.yaml:4:3: swarm.listn: unknown key "listn"; did you mean "listen"?',
    ])
  })
  it('reads rates as bytes per second and intervals as milliseconds', () => {
    const config = parseConfig(
      `${MINIMAL}swarm: {uploadLimit: 2MiB}\ncatalog: {refreshInterval: 30s}\n`,
      'c',
    )
    expect(config.swarm.uploadLimit).to.equal(2_097_152)
    expect(config.catalog.refreshInterval).to.equal(30_000)
  })
  it('reports a syntax error with its position', () => {
    expect(problemsOf('network: [\n')[0]).to.match(/^config\.yaml:\d+:\d+: /)
  })
  it('refuses a key that stands twice', () => {
    expect(problemsOf(`${MINIMAL}network: other\n`)[0]).to.match(/^config\.yaml:3:1: .*unique/)
  })
  it('refuses a feed without a did:key, and one publisher twice', () => {
    const did = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
    const feed = `{did: ${did}, url: "https://a.example"}`
    expect(problemsOf(`${MINIMAL}feeds: [${feed}, ${feed}]\n`)[0]).to.match(
      /feeds: must name each publisher once/,
    )
    expect(
      problemsOf(`${MINIMAL}feeds: [{did: "did:web:x", url: "https://a.example"}]\n`)[0],
    ).to.match(/feeds\[0\]\.did: must be a did:key/)
  })
  it('names what is wrong in a schedule', () => {
    const entry = '{from: "24:00", to: "07:00", days: [monday], uploadLimits: 1MiB}'
    const problems = problemsOf(`${MINIMAL}swarm: {schedule: [${entry}]}\n`).join('\n')
    expect(problems).to.match(/schedule\[0\]\.days\[0\]: /)
    expect(problems).to.match(/schedule\[0\]\.from: must be a time of day/)
    expect(problems).to.match(
      /schedule\[0\]\.uploadLimits: unknown key "uploadLimits"; did you mean "uploadLimit"/,
    )
  })
})
