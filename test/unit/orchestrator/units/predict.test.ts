import { expect } from 'chai'
import { valuesOf } from '../../../../orchestrator/units/file.ts'
import {
  commandOf,
  commandWords,
  type PredictedService,
  predictServices,
  type QuadletInput,
} from '../../../../orchestrator/units/predict.ts'

const HOST = { folder: '/units', hasDevice: (path: string) => path === '/dev/there' }

function predict(text: string, ...others: readonly QuadletInput[]): PredictedService {
  const { services, problems } = predictServices([{ name: 'x.container', text }, ...others], HOST)
  const service = services.find(({ source }) => source === 'x.container')
  if (service === undefined) throw new Error(problems.map(each => each.text).join('; '))
  return service
}

/** The words after the image. */
function argumentsOf(exec: string): readonly string[] {
  const argv = commandOf(predict(`[Container]\nImage=i\nExec=${exec}\n`), 'ExecStart')
  return argv.slice(argv.indexOf('i') + 1)
}

describe('predictServices', () => {
  for (const [what, exec, words] of [
    ['splits at blanks outside quotes', `a  "b c" 'd "e"' f'g'h`, ['a', 'b c', 'd "e"', 'fgh']],
    ['reads escapes', String.raw`\x41\u00e9\U0001f511\101\ts\s`, ['Aé🔑A\ts ']],
    ['loses everything from an empty word on', 'a "" b', ['a']],
    ['loses a value with an escape that nobody knows', String.raw`a \q`, []],
    ['forgives quotes that stay open', 'a "b', ['a', 'b']],
    ['passes specifiers and variables on', 'a%%b $$c ${D}', ['a%%b', '$$c', '${D}']],
  ] as const) {
    it(`${what}, as Quadlet does`, () => {
      expect(argumentsOf(exec)).to.deep.equal(words)
    })
  }

  it('fills in for people what systemd fills in', () => {
    const service = predict(
      '[Container]\nImage=i\nExec=100%% $$HOME ${EMPTY} ${OTHER}\n[Service]\nEnvironment=EMPTY=\n',
    )
    const argv = commandWords(service, 'ExecStart')
    expect(argv.slice(-5)).to.deep.equal(['i', '100%', '$HOME', '', '${OTHER}'])
    expect(argv).to.include('--cidfile=%t/x.cid')
  })

  it('joins lines that go on, over comments, and sections that come twice', () => {
    const text =
      '[Container]\nImage=i\nExec=a \\\n# not this\n  b\n[Unit]\nA=1\n[Container]\nExec=\nExec=c \\\n d\n'
    const argv = commandOf(predict(text), 'ExecStart')
    expect(argv.slice(-3)).to.deep.equal(['i', 'c', 'd'])
  })

  it('puts drop-ins after the file', () => {
    const { services } = predictServices(
      [
        {
          name: 'x.container',
          text: '[Container]\nImage=i\nEnvironment=A=1\n',
          dropIns: ['[Container]\nImage=j\n', '[Container]\nEnvironment=A=2 B=3\n'],
        },
      ],
      HOST,
    )
    const argv = commandOf(services[0] as PredictedService, 'ExecStart')
    expect(argv.slice(-5)).to.deep.equal(['--env', 'A=2', '--env', 'B=3', 'j'])
  })

  it('gives a container only those optional devices that are there', () => {
    const argv = commandOf(
      predict('[Container]\nImage=i\nAddDevice=-/dev/there:r -/dev/gone /dev/must\n'),
      'ExecStart',
    )
    const devices = argv.filter((_, index) => argv[index - 1] === '--device')
    expect(devices).to.deep.equal(['/dev/there:r', '/dev/must'])
  })

  it('follows names of files to services and to what Podman calls them', () => {
    const service = predict(
      '[Container]\nImage=i\nNetwork=n.network:alias=a\nVolume=v.volume:/d:ro\n',
      {
        name: 'n.network',
        text: '[Network]\nNetworkName=mine\n',
      },
      { name: 'v.volume', text: '[Volume]\n' },
    )
    const argv = commandOf(service, 'ExecStart').join(' ')
    expect(argv).to.include('--network mine:alias=a').and.to.include('-v systemd-v:/d:ro')
    expect(valuesOf(service.sections, 'Unit', 'Requires')).to.deep.equal([
      'n-network.service',
      'v-volume.service',
    ])
  })

  it('says of every file that would become nothing why, and goes on with the others', () => {
    const { services, problems } = predictServices(
      [
        { name: 'a.container', text: 'Image=i\n' },
        { name: 'b.container', text: '[Container]\nImage=i\nnonsense\n' },
        { name: 'c.container', text: '[Container]\nImage=i\nNetwork=d.network\n' },
        { name: 'e.container', text: '[Container]\nImage=i\nRootfs=/\n' },
        { name: 'f.container', text: '[Container]\nImage=i\n[Service]\nKillMode=none\n' },
        { name: 'g.container', text: '[Container]\nImage=i\n[Quadlet]\nX=1\n' },
        { name: 'h.container', text: '[Container]\nImage=i\n' },
        { name: 'i.txt', text: 'not a unit' },
      ],
      HOST,
    )
    expect(services.map(({ name }) => name)).to.deep.equal(['h.service'])
    expect(problems.map(({ file, text }) => `${file}: ${text}`)).to.deep.equal([
      'a.container: key file does not start with a group',
      'b.container: file contains line 3: “nonsense” which is not a key-value pair, group, or comment',
      'c.container: requested Quadlet unit d.network was not found',
      'e.container: the Image And Rootfs keys conflict can not be specified together',
      "f.container: invalid KillMode 'none'",
      "g.container: unsupported key 'X' in group 'Quadlet' in /units/g.container",
    ])
  })
})
