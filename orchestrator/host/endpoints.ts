/** Asks network ports of this machine: free or taken, and whether an app answers on them. */
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { codeOf } from '../../src/core/errors.ts'
import type { Endpoints } from '../ports.ts'

/** The port forwarder accepts for the container and hangs up at once when nothing listens inside. */
const TCP_SETTLED_MS = 300
const LOOPBACK = '127.0.0.1'

export function createEndpoints(): Endpoints {
  return {
    async portState(port, protocol) {
      try {
        await (protocol === 'tcp' ? bindTcp(port) : bindUdp(port))
        return 'free'
      } catch (error) {
        if (codeOf(error) === 'EADDRINUSE') return 'taken'
        if (codeOf(error) === 'EACCES') return 'refused'
        throw error
      }
    },
    async answersHttp(port, path, timeoutMs) {
      try {
        const response = await fetch(`http://${LOOPBACK}:${port}${path}`, {
          redirect: 'manual',
          signal: AbortSignal.timeout(timeoutMs),
        })
        await response.body?.cancel()
        return response.status < 400 || response.status === 401 || response.status === 403
      } catch {
        // Refused, reset, timed out or not HTTP: all of them mean that the service does not answer.
        return false
      }
    },
    answersTcp,
  }
}

function bindTcp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, () => server.close(() => resolve()))
  })
}

function bindUdp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(port, () => socket.close(() => resolve()))
  })
}

function answersTcp(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, LOOPBACK)
    const late = setTimeout(() => end(false), timeoutMs)
    let settled: NodeJS.Timeout | undefined
    function end(answer: boolean): void {
      clearTimeout(late)
      clearTimeout(settled)
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => {
      settled = setTimeout(() => end(true), TCP_SETTLED_MS)
    })
    socket.once('data', () => end(true))
    socket.once('end', () => end(false))
    socket.once('error', () => end(false))
  })
}
