import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'

const MB = 1024 * 1024
const senders = 40

let rig: Rig
let url: string
beforeEach(async () => {
  rig = await openRig({
    config: {
      api_keys: [
        { key: 'greedy', tenant: 'greedy' },
        { key: 'modest', tenant: 'modest' },
      ],
      server: { port: 0, shutdown_grace: '5s', max_bytes_in_flight: 64 * MB },
    },
  })
  url = (await rig.api.logged('api listening')).url as string
})
afterEach(() => rig.close())

/** The most that the process ever had in memory. */
const peakBytes = async (): Promise<number> => {
  const status = await readFile(`/proc/${rig.api.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1024
}

const bigBody = Buffer.from(
  JSON.stringify({ body: { model: 'plain', messages: [{ role: 'user', content: 'x'.repeat(8 * MB) }] } }),
)
const smallBody = JSON.stringify({ body: { model: 'plain', messages: [{ role: 'user', content: 'hi' }] } })

interface Sent {
  readonly socket: Socket
  readonly status: () => string | undefined
}

/** Sends nine tenths of a large body, and the rest when it is told to. */
const sendMost = async (framing: 'length' | 'chunks'): Promise<Sent & { finish(): void }> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  let answer = ''
  socket.setEncoding('utf8').on('data', text => {
    answer += text
  })
  const cut = Math.floor(bigBody.length * 0.9)
  const length = framing === 'length' ? `content-length: ${bigBody.length}` : 'transfer-encoding: chunked'
  const write = (part: Buffer): void => {
    if (framing === 'chunks') socket.write(`${part.length.toString(16)}\r\n`)
    socket.write(part)
    if (framing === 'chunks') socket.write('\r\n')
  }
  socket.write(
    `POST /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer greedy\r\ncontent-type: application/json\r\n${length}\r\n\r\n`,
  )
  write(bigBody.subarray(0, cut))
  return {
    socket,
    status: () => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1],
    finish: () => {
      write(bigBody.subarray(cut))
      if (framing === 'chunks') socket.write('0\r\n\r\n')
    },
  }
}

describe('bytes in flight', () => {
  it.each(['length', 'chunks'] as const)(
    'one client that sends 40 large bodies at once, by %s, takes neither the memory nor the place of others',
    async framing => {
      const probes: number[] = []
      const probing = new AbortController()
      const probe = (async () => {
        while (!probing.signal.aborted) {
          const startedMs = performance.now()
          expect((await fetch(`${url}/healthz`)).status).toBe(200)
          probes.push(performance.now() - startedMs)
        }
      })()
      const before = await peakBytes()
      const all = await Promise.all(Array.from({ length: senders }, () => sendMost(framing)))
      // Of 64 MB half are one tenant's, and seven eighths of that for large ones: three of these.
      await until(() => all.filter(({ status }) => status() === '503').length === senders - 3)
      const answer = await fetch(`${url}/v1/jobs`, {
        method: 'POST',
        headers: { authorization: 'Bearer modest', 'content-type': 'application/json' },
        body: smallBody,
      })
      expect(answer.status).toBe(202)
      const held = all.filter(({ status }) => status() === undefined)
      expect(held).toHaveLength(3)
      for (const { finish } of held) finish()
      await until(() => held.every(({ status }) => status() === '202'))
      probing.abort()
      await probe
      for (const { socket } of all) socket.destroy()
      // All of them together are 320 MB, and took more than a gigabyte.
      expect((await peakBytes()) - before).toBeLessThan(400 * MB)
      expect(probes.length).toBeGreaterThan(0)
      console.info(
        `peak +${(((await peakBytes()) - before) / MB).toFixed(0)} MB, ${probes.length} probes, the slowest ${Math.max(...probes).toFixed(0)} ms`,
      )
    },
  )
})
