import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { expect } from 'chai'
import { answerQuery, openDns } from '../../../support/lab/dns.ts'

const HOSTS: Readonly<Record<string, readonly string[]>> = {
  n1: ['10.99.0.11', 'fd99:0:0:0::11'],
}

function lookup(name: string): readonly string[] {
  return HOSTS[name] ?? []
}

/** Answers come from the real server to the resolver of Node: an independent reader of the format. */
async function openResolver() {
  const dns = await openDns('127.0.0.1', 0, lookup)
  const resolver = new Resolver({ tries: 1, timeout: 1000 })
  resolver.setServers([`127.0.0.1:${dns.port}`])
  return { resolver, port: dns.port, [Symbol.asyncDispose]: () => dns[Symbol.asyncDispose]() }
}

describe("the lab's name server", () => {
  it('knows both addresses of a host', async () => {
    await using server = await openResolver()
    expect(await server.resolver.resolve4('n1')).to.deep.equal(['10.99.0.11'])
    expect(await server.resolver.resolve6('n1')).to.deep.equal(['fd99::11'])
  })

  it('ignores case and the domains that containers append', async () => {
    await using server = await openResolver()
    expect(await server.resolver.resolve4('N1.dns.podman')).to.deep.equal(['10.99.0.11'])
  })

  it('says at once that there is no such name', async () => {
    await using server = await openResolver()
    const code = await server.resolver.resolve4('example.org').catch(error => error.code)
    expect(code).to.equal('ENOTFOUND')
  })

  it('says that a known name has no record of another kind', async () => {
    await using server = await openResolver()
    const code = await server.resolver.resolveMx('n1').catch(error => error.code)
    expect(code).to.equal('ENODATA')
  })

  it('drops what is no query, and lives on', async () => {
    await using server = await openResolver()
    const socket = createSocket('udp4')
    socket.send(Buffer.from('not a query at all'), server.port, '127.0.0.1')
    await once(socket, 'listening')
    expect(await server.resolver.resolve4('n1')).to.have.length(1)
    socket.close()
  })

  it('refuses cut-off and endless questions', () => {
    const header = Buffer.from('000101000001000000000000', 'hex')
    expect(answerQuery(header.subarray(0, 11), lookup)).to.equal(undefined)
    expect(answerQuery(Buffer.concat([header, Buffer.from([9, 97])]), lookup)).to.equal(undefined)
    expect(answerQuery(Buffer.concat([header, Buffer.from([0xc0, 12])]), lookup)).to.equal(
      undefined,
    )
  })
})
