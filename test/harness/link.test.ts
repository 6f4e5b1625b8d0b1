import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Agent, fetch } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Link, openLink } from '../../harness/link.ts'

let server: Server
let link: Link
let agent: Agent
let served: number
beforeEach(async () => {
  served = 0
  server = createServer((_, res) => {
    served++
    res.end('here')
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  link = await openLink({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  agent = new Agent()
})
afterEach(async () => {
  await agent.destroy()
  await link.close()
  server.closeAllConnections()
  await new Promise(closed => server.close(closed))
})

const ask = async (timeoutMs = 5_000): Promise<string> => {
  const signal = AbortSignal.timeout(timeoutMs)
  const answer = await fetch(`http://${link.address}`, { dispatcher: agent, signal })
  return answer.text()
}

const failure = (asking: Promise<string>): Promise<string> =>
  asking.then(
    text => text,
    error => (error as { cause?: { code: string } }).cause?.code ?? (error as Error).name,
  )

describe('a link between processes', () => {
  it('lets bytes through', async () => {
    expect(await ask()).toBe('here')
  })

  it('refuses connections while it is shut, on the same port as before and after', async () => {
    await link.set('shut')
    expect(await failure(ask())).toBe('ECONNREFUSED')
    await link.set('open')
    expect(await ask()).toBe('here')
  })

  it('swallows everything while it is silent', async () => {
    expect(await ask()).toBe('here')
    await link.set('silent')
    // On the connection of before, and on one that is made now.
    expect(await failure(ask(200))).toBe('TimeoutError')
    expect(await failure(ask(200))).toBe('TimeoutError')
    expect(served).toBe(1)
    await link.set('open')
    expect(await ask()).toBe('here')
    expect(served).toBe(2)
  })

  it('resets who still waits when it was silent, for the peer has forgotten them', async () => {
    await link.set('silent')
    const socket = connect(link.port, '127.0.0.1')
    await once(socket, 'connect')
    const error = once(socket, 'error').catch(error => [error])
    // What was swallowed shows that the link has taken the connection.
    socket.write('anything')
    await new Promise(written => socket.write('more', written))
    await ask(100).catch(() => undefined)
    await link.set('open')
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' })
  })
})
