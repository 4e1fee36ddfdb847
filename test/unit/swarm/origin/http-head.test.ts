import { expect } from 'chai'
import { plainLength, readHead } from '../../../../swarm/origin/http-head.ts'

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('readHead', () => {
  it('reads a status, the fields in lower case, and where the body begins', () => {
    const text = 'HTTP/1.1 206 Partial Content\r\nContent-Length: 3 \r\nETag:"x"\r\n\r\nabc'
    const found = readHead(bytesOf(text))
    expect(found).to.not.be.oneOf([undefined, 'unusual'])
    if (found === undefined || found === 'unusual') return
    expect(found.head.statusCode).to.equal(206)
    expect({ ...found.head.headers }).to.deep.equal({ 'content-length': '3', etag: '"x"' })
    expect(text.slice(found.bodyAt)).to.equal('abc')
  })

  it('waits for the rest of a head', () => {
    expect(readHead(bytesOf(''))).to.equal(undefined)
    expect(readHead(bytesOf('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n'))).to.equal(undefined)
  })

  for (const [what, text] of Object.entries({
    'another protocol': 'ICY 200 OK\r\n\r\n',
    'HTTP/2 in the clear': 'HTTP/2 200\r\n\r\n',
    'an answer before the answer': 'HTTP/1.1 103 Early Hints\r\n\r\n',
    'a folded line': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'a field without a colon': 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
    'a line that only LF ends': 'HTTP/1.1 200 OK\nA: b\r\n\r\n',
  })) {
    it(`leaves ${what} to a whole library`, () => {
      expect(readHead(bytesOf(text))).to.equal('unusual')
    })
  }

  it('knows no inherited field', () => {
    const found = readHead(bytesOf('HTTP/1.1 200 OK\r\n__proto__: x\r\n\r\n'))
    if (found === undefined || found === 'unusual') throw new Error('not read')
    expect(found.head.headers.constructor).to.equal(undefined)
    expect(plainLength(found.head)).to.equal(undefined)
  })
})

describe('plainLength', () => {
  const lengthOf = (fields: string): number | undefined => {
    const found = readHead(bytesOf(`HTTP/1.1 206 OK\r\n${fields}\r\n\r\n`))
    return found === undefined || found === 'unusual' ? undefined : plainLength(found.head)
  }

  it('is the length that the server says', () => {
    expect(lengthOf('Content-Length: 0')).to.equal(0)
    expect(lengthOf('Content-Length: 1048576')).to.equal(1_048_576)
  })

  it('is unknown for chunks, for nonsense, and when nothing is said', () => {
    expect(lengthOf('Transfer-Encoding: chunked')).to.equal(undefined)
    expect(lengthOf('Content-Length: 3\r\nTransfer-Encoding: chunked')).to.equal(undefined)
    expect(lengthOf('Content-Length: -1')).to.equal(undefined)
    expect(lengthOf('Content-Length: 1e3')).to.equal(undefined)
    expect(lengthOf('Content-Length: 9999999999999999')).to.equal(undefined)
    expect(lengthOf('Date: x')).to.equal(undefined)
  })
})
