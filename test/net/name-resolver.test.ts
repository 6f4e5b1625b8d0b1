import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startNameServer, type Zone } from '../../harness/name-server.ts'
import { createNameResolver, type NameResolverOptions } from '../../src/net/names/name-resolver.ts'
import { socketLookup } from '../../src/net/names/open-names.ts'
import { parseResolverSettings } from '../../src/net/names/resolver-settings.ts'
import { patience } from '../support/patience.ts'

/** A resolver that knows one name server and files of its own, and whose time the test sets. */
const open = async (zone: Zone, options: NameResolverOptions = {}, resolver = '', hosts = '') => {
  const server = await startNameServer(zone)
  onTestFinished(() => server[Symbol.asyncDispose]())
  const dir = mkdtempSync(join(tmpdir(), 'names-'))
  const paths = { hostsPath: join(dir, 'hosts'), resolverPath: join(dir, 'resolv.conf') }
  const write = (which: keyof typeof paths, text: string): void => writeFileSync(paths[which], text)
  write('hostsPath', hosts)
  write('resolverPath', resolver)
  const clock = { nowMs: 0 }
  const names = createNameResolver({
    servers: [server.address],
    ...paths,
    now: () => clock.nowMs,
    ...options,
  })
  onTestFinished(() => names.close())
  return { names, server, clock, write }
}
const at = (...addresses: string[]) => ({ addresses })
const failing = (code: string) => expect.objectContaining({ code })

describe('the name resolver', () => {
  describe('a name is resolved', () => {
    test('to all its addresses, of both kinds', async () => {
      const { names } = await open({ 'hooks.test': at('2001:db8::7', '192.0.2.1', '192.0.2.2') })
      expect(await names.resolve('HOOKS.test')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::7'])
      expect(await names.resolve('hooks.test.')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::7'])
    })

    test('by the hosts file before all servers, and anew when it has changed', async () => {
      const file = '# ours\n10.0.0.5\treceiver Receiver.internal # it\n::1 receiver\nnonsense receiver\n'
      const { names, clock, write, server } = await open({}, {}, '', file)
      expect(await names.resolve('receiver')).toEqual(['10.0.0.5', '::1'])
      expect(await names.resolve('receiver.internal.')).toEqual(['10.0.0.5'])
      write('hostsPath', '10.0.0.66 receiver\n')
      clock.nowMs += 2_000
      expect(await names.resolve('receiver')).toEqual(['10.0.0.66'])
      expect(server.asked).toEqual([])
    })

    test('to this machine where it is a name of that', async () => {
      const { names, server } = await open({})
      for (const name of ['localhost', 'localhost.', 'Some.localhost'])
        expect(await names.resolve(name)).toEqual(['127.0.0.1', '::1'])
      expect(server.asked).toEqual([])
    })

    test.each([
      ['a service of the same namespace', 'receiver', 'receiver.shop.svc.cluster.local'],
      ['a service of another', 'receiver.billing', 'receiver.billing.svc.cluster.local'],
      ['a full name of the cluster', 'receiver.a.svc.cluster.local', 'receiver.a.svc.cluster.local'],
      ['a name outside', 'hooks.example.com', 'hooks.example.com'],
    ])('in the search domains of Kubernetes: %s', async (_, name, full) => {
      const conf =
        'search shop.svc.cluster.local svc.cluster.local cluster.local\noptions timeout:2 ndots:5\n'
      const { names } = await open({ [full]: at('10.96.0.7') }, {}, conf)
      expect(await names.resolve(name)).toEqual(['10.96.0.7'])
    })

    test.each([
      ['with a dot as it is, first', 'a.b', ['a.b', 'a.b.corp.test']],
      ['without one in the domains, first', 'a', ['a.corp.test', 'a']],
      ['that ends with a dot as it is alone', 'a.b.', ['a.b']],
    ])('%s', async (_, name, order) => {
      const { names, server } = await open({}, {}, 'domain ignored.test\nsearch corp.test\n')
      await expect(names.resolve(name)).rejects.toEqual(failing('ENOTFOUND'))
      expect(server.asked.filter(asked => asked.startsWith('A ')).map(asked => asked.slice(2))).toEqual(order)
    })

    test('by the servers of resolv.conf', () => {
      const text = '; c\nnameserver 10.0.0.1 # x\nnameserver fe80::1\nnameserver nonsense\noptions ndots:99\n'
      expect(parseResolverSettings(text)).toEqual({ servers: ['10.0.0.1', 'fe80::1'], search: [], ndots: 15 })
      expect(parseResolverSettings('')).toEqual({ servers: [], search: [], ndots: 1 })
    })

    test('though one kind of address is never told', async () => {
      for (const [silentAbout, found] of [
        ['AAAA', '192.0.2.1'],
        ['A', '2001:db8::7'],
      ] as const) {
        const { names } = await open({ 'hooks.test': { addresses: [found], silentAbout } })
        expect(await names.resolve('hooks.test')).toEqual([found])
      }
    })
  })

  describe('what was found', () => {
    test('is asked for once by all who want it at the time', async () => {
      const { names, server } = await open({ 'hooks.test': at('192.0.2.1') })
      await Promise.all(Array.from({ length: 50 }, (_, i) => names.resolve('hooks.test', { share: `t${i}` })))
      expect(server.asked).toHaveLength(2)
    })

    test.each([
      ['0 is kept for a second', 0, 1_000],
      ['20 s is kept for that', 20, 20_000],
      ['a day is kept for a minute', 86_400, 60_000],
    ])('with a time to live of %s', async (_, ttl, keptMs) => {
      const { names, server, clock } = await open({ 'hooks.test': { addresses: ['192.0.2.1', '::2'], ttl } })
      await names.resolve('hooks.test')
      server.serve({ 'hooks.test': at('192.0.2.9') })
      clock.nowMs += keptMs - 1
      expect(await names.resolve('hooks.test')).toEqual(['192.0.2.1', '::2'])
      clock.nowMs += 1
      expect(await names.resolve('hooks.test')).toEqual(['192.0.2.9'])
      expect(server.asked).toHaveLength(4)
    })

    test('goes on being used while the server is broken, for an hour', async () => {
      const { names, server, clock } = await open({ 'hooks.test': at('192.0.2.1') })
      await names.resolve('hooks.test')
      server.serve({ 'hooks.test': 'broken' })
      clock.nowMs += 3_000_000
      expect(await names.resolve('hooks.test')).toEqual(['192.0.2.1'])
      clock.nowMs += 3_600_000
      await expect(names.resolve('hooks.test')).rejects.toEqual(failing('EAI_AGAIN'))
    })

    test('that there is no such name is believed for some seconds', async () => {
      const { names, server, clock } = await open({})
      await expect(names.resolve('hooks.test')).rejects.toEqual(failing('ENOTFOUND'))
      server.serve({ 'hooks.test': at('192.0.2.1') })
      clock.nowMs += 4_999
      await expect(names.resolve('hooks.test')).rejects.toEqual(failing('ENOTFOUND'))
      clock.nowMs += 1
      expect(await names.resolve('hooks.test')).toEqual(['192.0.2.1'])
    })

    test('that a name has no address, too, and that a server fails', async () => {
      const { names } = await open({ 'empty.test': at(), 'broken.test': 'broken' })
      await expect(names.resolve('empty.test')).rejects.toEqual(failing('ENOTFOUND'))
      await expect(names.resolve('broken.test')).rejects.toEqual(failing('EAI_AGAIN'))
    })
  })

  describe('a silent name server', () => {
    const zone = { '*.silent.test': 'silent', 'good.test': at('192.0.2.1') } as const
    const silent = (i: number): string => `n${i}.silent.test`

    test('is given up after the time', async () => {
      const { names } = await open(zone, { timeoutMs: 100, now: () => performance.now() })
      await expect(names.resolve(silent(0))).rejects.toEqual(failing('EAI_AGAIN'))
    })

    test('holds up no name of another tenant, nor any without a share', async () => {
      const { names, server } = await open(zone, { perShare: 4 })
      const waiting = Array.from({ length: 40 }, (_, i) => names.resolve(silent(i), { share: 'loud' }))
      for (const wait of waiting) wait.catch(() => undefined)
      await vi.waitFor(() => expect(server.asked.length).toBeGreaterThan(7), patience)
      expect(await names.resolve('good.test', { share: 'quiet' })).toEqual(['192.0.2.1'])
      expect(await names.resolve('other.localhost', { share: 'loud' })).toHaveLength(2)
      expect(new Set(server.asked.filter(asked => asked.includes('silent'))).size).toBe(8)
      // Also a name that the loud one waits with for room.
      const late = names.resolve('late.test', { share: 'loud' })
      late.catch(() => undefined)
      server.serve({ ...zone, 'late.test': at('192.0.2.2') })
      expect(await names.resolve('late.test', { share: 'quiet' })).toEqual(['192.0.2.2'])
      names.close()
      expect(await late).toEqual(['192.0.2.2'])
    })

    test('is waited for no longer than who asks wants to', async () => {
      const { names } = await open(zone, { perShare: 1 })
      const signal = AbortSignal.timeout(50)
      const both = [
        names.resolve(silent(1), { share: 'a', signal }),
        names.resolve(silent(2), { share: 'a', signal }),
      ]
      for (const wait of both) await expect(wait).rejects.toEqual(failing('EAI_AGAIN'))
    })

    test('leaves room again for the names that waited', async () => {
      const { names, clock } = await open(zone, { perShare: 2, timeoutMs: 100 })
      const loud = Array.from({ length: 6 }, (_, i) => names.resolve(silent(i), { share: 'a' }))
      const good = names.resolve('good.test', { share: 'a' })
      const settled = await Promise.allSettled(loud)
      expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
      expect(await good).toEqual(['192.0.2.1'])
      expect(clock.nowMs).toBe(0)
    })
  })

  describe('a socket is told', () => {
    const ask = async (options: object) => {
      const { names } = await open({
        'hooks.test': at('192.0.2.1', '2001:db8::7'),
        'v4.test': at('192.0.2.4'),
      })
      return (hostname: string) =>
        new Promise((resolve, reject) =>
          socketLookup(names)(hostname, options, (error, address, family) =>
            error ? reject(error) : resolve([address, family]),
          ),
        )
    }
    test.each([
      [
        'all addresses',
        { all: true },
        [
          [
            { address: '192.0.2.1', family: 4 },
            { address: '2001:db8::7', family: 6 },
          ],
          undefined,
        ],
      ],
      ['one address', {}, ['192.0.2.1', 4]],
      ['those of the family it wants', { family: 6 }, ['2001:db8::7', 6]],
    ])('%s', async (_, options, answer) => {
      expect(await (await ask(options))('hooks.test')).toEqual(answer)
    })
    test('that there is none of that family', async () => {
      await expect((await ask({ family: 6 }))('v4.test')).rejects.toEqual(failing('ENOTFOUND'))
    })
  })

  test('a name that only the system knows is asked of it, where that is wanted', async () => {
    const { names } = await open({}, { asksSystem: true })
    // No server has such a name; the system reads it as an address in short.
    expect(await names.resolve('127.1')).toEqual(['127.0.0.1'])
    await expect(names.resolve('nowhere.invalid')).rejects.toEqual(failing('ENOTFOUND'))
  })
})
