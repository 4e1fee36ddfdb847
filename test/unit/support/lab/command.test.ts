import { expect } from 'chai'
import { runCommand, runOk } from '../../../support/lab/command.ts'

describe('running a program', () => {
  it('gives status and both outputs, and feeds the input', async () => {
    const result = await runCommand(['sh', '-c', 'cat; echo bad >&2; exit 3'], { input: 'in' })
    expect(result).to.deep.equal({ code: 3, stdout: 'in', stderr: 'bad\n', timedOut: false })
  })

  it('does not mind a program that leaves its input unread', async () => {
    const result = await runCommand(['true'], { input: Buffer.alloc(1024 * 1024) })
    expect(result.code).to.equal(0)
  })

  it('ends a program whose time is over', async () => {
    const result = await runCommand(['sleep', '60'], { timeoutMs: 20 })
    expect(result).to.include({ code: undefined, timedOut: true })
  })

  it('tells each whole line as it comes', async () => {
    const lines: string[] = []
    await runCommand(['printf', 'a\nb\nrest'], { onLine: line => lines.push(line) })
    expect(lines).to.deep.equal(['a', 'b'])
  })

  it('names the command and the end of what it wrote when it had to succeed', async () => {
    const error = await runOk(['sh', '-c', 'echo why; exit 4']).catch(reason => reason)
    expect(error).to.include({ code: 'LAB_COMMAND_FAILED' })
    expect(error.message).to.match(/ended with 4\nwhy$/)
  })

  it('refuses output without end', async () => {
    const error = await runCommand(['yes']).catch(reason => reason)
    expect(error).to.include({ code: 'LAB_OUTPUT_TOO_LARGE' })
  })
})
