import { expect } from 'chai'
import { manifestProblems } from '../../../../catalog/manifest/rules.ts'
import { authorManifestSchema } from '../../../../catalog/manifest/schema.ts'
import { pathText } from '../../../../src/core/schema.ts'

/** The problems of an app with these components, as `path: message`. */
function problemsOf(
  components: Record<string, object>,
  rest: Record<string, unknown> = {},
): readonly string[] {
  const manifest = authorManifestSchema.parse({
    apiVersion: 'archy.app/v1',
    id: 'app',
    version: '1',
    title: 'App',
    images: { app: { oci: 'app' } },
    data: { one: {}, two: {} },
    components: Object.fromEntries(
      Object.entries(components).map(([name, value]) => [name, { image: 'app', ...value }]),
    ),
    ...rest,
  })
  return manifestProblems(manifest).map(({ path, message }) => `${pathText(path)}: ${message}`)
}

describe('manifestProblems', () => {
  it('finds nothing in a small right manifest', () => {
    expect(problemsOf({ main: {} })).to.deep.equal([])
  })

  it('finds secrets that are not declared, in values and files', () => {
    const wrong = {
      env: { A: '${secrets.nope}', B: '${oops}' },
      secretFiles: [{ secret: 'nope', path: '/run/x' }],
    }
    const problems = problemsOf({ main: wrong })
    expect(problems.map(p => p.split(': ')[0])).to.deep.equal([
      'components.main.secretFiles[0].secret',
      'components.main.env.A',
      'components.main.env.B',
    ])
  })

  it('refuses secrets in arguments, where every process reads them', () => {
    expect(problemsOf({ main: { command: ['run', '--key=${secrets.a}'] } })).to.have.length(1)
    expect(problemsOf({ main: { command: ['sh', '-c', 'echo ${HOME}'] } })).to.deep.equal([])
  })

  it('finds dependencies that do not exist or can not be waited for', () => {
    const problems = problemsOf({
      a: { dependsOn: { bb: {} } },
      b: { dependsOn: { c: { condition: 'healthy' } } },
      c: { ports: [{ container: 1, host: 1 }], health: { tcp: { port: 1 } } },
    })
    expect(problems[0]).to.match(/^components\.a\.dependsOn\.bb: there is no component "bb"/)
    expect(problems[1]).to.match(
      /^components\.b\.dependsOn\.c: condition healthy needs health\.exec/,
    )
    expect(problems).to.have.length(2)
  })

  it('shows the way around of a dependency cycle, and nothing for who only leads into it', () => {
    const problems = problemsOf({
      a: { dependsOn: { b: {} } },
      b: { dependsOn: { c: {} } },
      c: { dependsOn: { b: {} } },
      d: { dependsOn: { d: {} } },
    })
    expect(problems).to.deep.equal([
      'components.b.dependsOn: waits for itself: b → c → b',
      'components.c.dependsOn: waits for itself: c → b → c',
      'components.d.dependsOn: waits for itself: d → d',
    ])
  })

  it('finds no cycle in a diamond', () => {
    const diamond = {
      a: { dependsOn: { b: {}, c: {} } },
      b: { dependsOn: { d: {} } },
      c: { dependsOn: { d: {} } },
      d: {},
    }
    expect(problemsOf(diamond)).to.deep.equal([])
  })

  it('wants exactly one probe, on a port that is published', () => {
    const ports = [{ container: 80, host: 8080 }]
    const tcp = (port: number) => ({ ports, health: { tcp: { port } } })
    expect(problemsOf({ main: { health: {} } })).to.have.length(1)
    expect(
      problemsOf({ main: { ports, health: { exec: ['x'], tcp: { port: 8080 } } } }),
    ).to.have.length(1)
    expect(problemsOf({ main: tcp(80) })).to.have.length(1)
    expect(problemsOf({ main: tcp(8080) })).to.deep.equal([])
  })

  it('lets one host port be published once per protocol', () => {
    const port = (protocol: string) => ({ ports: [{ container: 1, host: 53, protocol }] })
    expect(problemsOf({ a: port('tcp'), b: port('udp') })).to.deep.equal([])
    expect(problemsOf({ a: port('tcp'), b: port('tcp') })).to.deep.equal([
      'components.b.ports[0].host: host port 53/tcp is already published by components.a',
    ])
  })

  it('lets an alias belong to one component, its default name counted', () => {
    expect(problemsOf({ a: {}, b: { aliases: ['a'] } })).to.deep.equal([
      'components.b.aliases[0]: the alias a is already taken, on the network default, by components.a',
    ])
  })

  it('refuses component names that collide with derived units', () => {
    for (const name of ['network', 'my-volume', 'pod', 'x-infra']) {
      expect(problemsOf({ [name]: {} }), name).to.have.length(1)
    }
    expect(problemsOf({ podcast: {} })).to.deep.equal([])
  })

  it('refuses mounts that hide each other, the root, or what the runtime owns', () => {
    const mounted = (...paths: string[]) =>
      problemsOf({ main: { mounts: paths.map(path => ({ tmpfs: '1MiB', path })) } })
    expect(mounted('/a', '/ab', '/c/d')).to.deep.equal([])
    expect(mounted('/a', '/a')).to.have.length(1)
    expect(mounted('/a/b', '/a')).to.have.length(1)
    expect(mounted('/')).to.have.length(1)
    expect(mounted('/proc/x')).to.have.length(1)
    expect(mounted('/dev/shm')).to.deep.equal([
      'components.main.mounts[0].path: use resources.shm to size /dev/shm',
    ])
  })

  it('counts secret files as mounts', () => {
    const main = {
      mounts: [{ data: 'one', path: '/run/secrets' }],
      secretFiles: [{ secret: 'a', path: '/run/secrets/a' }],
    }
    const secrets = { a: { generate: { kind: 'hex' } } }
    expect(problemsOf({ main }, { secrets })).to.deep.equal([
      'components.main.secretFiles[0].path: /run/secrets/a overlaps /run/secrets, which is mounted as well',
    ])
  })

  it('lets two components share a data set, but not one that does not exist', () => {
    const mount = (data: string) => ({ mounts: [{ data, path: '/x' }] })
    expect(problemsOf({ a: mount('one'), b: mount('one') })).to.deep.equal([])
    expect(problemsOf({ a: mount('oen') })[0]).to.match(/no data set "oen"; did you mean "one"\?/)
  })

  it('wants interfaces to have their own id and a port that is published', () => {
    const ports = [{ container: 80, host: 8080 }]
    const entry = { id: 'main', title: 'T', component: 'a', port: 8080 }
    const wrong = [entry, { ...entry, port: 80 }, { ...entry, id: 'x', component: 'b' }]
    const problems = problemsOf({ a: { ports } }, { interfaces: wrong })
    expect(problems).to.deep.equal([
      'interfaces[1].id: the id main is already used',
      'interfaces[1].port: components.a publishes no host port 80/tcp (it publishes: 8080/tcp)',
      'interfaces[2].component: there is no component "b"',
    ])
  })
})
