import { expect } from 'chai'
import { checkUnits } from '../../../../orchestrator/units/check.ts'
import { renderApp } from '../../../../orchestrator/units/render.ts'
import { forRender, renderInput } from '../../../support/orchestrator/manifest.ts'

const UNITS = renderApp(
  renderInput(
    forRender(`
apiVersion: archy.app/v1
id: tiny
version: "1"
title: Tiny
images: { a: { oci: a } }
components: { web: { image: a } }
`),
  ),
)

/** Problems of the units once `from` in the container's file is `to`. */
function problemsWith(from: string, to: string): readonly string[] {
  const quadlet = UNITS.quadlet.map(({ name, text }) => ({
    name,
    text: name.endsWith('.container') ? text.replace(from, () => to) : text,
  }))
  return checkUnits({ ...UNITS, quadlet })
}

describe('checkUnits', () => {
  it('finds nothing wrong with what is rendered', () => {
    expect(checkUnits(UNITS)).to.deep.equal([])
  })

  const CASES: readonly (readonly [what: string, from: string, to: string, problem: string])[] = [
    [
      'a key that Podman 5.4.2 does not know',
      'Pull=never',
      'Memory=1G',
      "unsupported key 'Memory'",
    ],
    [
      'a network that nobody makes',
      'app-tiny.network:',
      'gone.network:',
      'gone.network was not found',
    ],
    ['an image that is not named by its ID', 'Image=1', 'Image=latest', 'no image ID'],
    ['a container without an image', 'Image=', '#Image=', 'no Image or Rootfs key specified'],
    ['a kind of service that Quadlet refuses', 'Restart=always', 'Type=simple', "Type 'simple'"],
    ['a line that goes on', 'Pull=never', 'Pull=never\\', 'is no unit file line'],
  ]
  for (const [what, from, to, problem] of CASES) {
    it(`finds ${what}, and says in which file`, () => {
      const found = problemsWith(from, to)
      expect(found).to.have.length(1)
      expect(found[0]).to.match(/^app-tiny_web\.container: /)
      expect(found[0]).to.include(problem)
    })
  }
})
