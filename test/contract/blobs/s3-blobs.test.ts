import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type BlobStore, BlobStoreError } from '../../../src/files/blobs/blob-store.ts'
import { openBlobs } from '../../../src/start-blobs.ts'
import { openS3, s3SettingsOf } from './places.ts'
import { chunksOf, patterned, readAll } from './sources.ts'

const megabyte = 1024 * 1024
const large = patterned(12 * megabyte)

let place: Awaited<ReturnType<typeof openS3>>
beforeAll(async () => {
  place = await openS3()
  await place.blobs.write('g/a', chunksOf(large))
})
afterAll(() => place?.close())

const storeAt = async (port: number): Promise<BlobStore> => {
  const settings = s3SettingsOf(place.server, { endpoint: `http://127.0.0.1:${port}` })
  const blobs = await openBlobs({ path: '', s3: settings }, Date.now)
  onTestFinished(() => blobs.close())
  return blobs
}

/** A way to the server on which each of the first `breaks` connections ends at `bytes` of answers. */
const fragileWay = async (breaks: number, bytes: number) => {
  let broken = 0
  const sockets = new Set<Socket>()
  const proxy = createServer(client => {
    const server = connect(place.server.port, '127.0.0.1')
    let passed = 0
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => [client, server].map(other => other.destroy()))
    }
    client.pipe(server)
    server.on('data', chunk => {
      passed += chunk.length
      if (broken === breaks || passed <= bytes) return client.write(chunk)
      broken += 1
      return client.destroy()
    })
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(done => proxy.close(done))
  })
  return { port: (proxy.address() as AddressInfo).port, broken: () => broken }
}

describe('blobs in S3', () => {
  it('goes on with a read where a connection broke', async () => {
    const way = await fragileWay(5, 2 * megabyte)
    const blobs = await storeAt(way.port)
    expect(large.equals(await readAll(blobs, 'g/a'))).toBe(true)
    expect(way.broken()).toBe(5)
    const range = { start: megabyte, end: 9 * megabyte + 1 }
    expect((await readAll(blobs, 'g/a', range)).equals(large.subarray(range.start, range.end))).toBe(true)
  })

  it('tells trouble with the server as such, and keeps the words of its client out of the message', async () => {
    const proxy = await fragileWay(Number.POSITIVE_INFINITY, 0)
    const closed = createServer()
    await once(closed.listen(0, '127.0.0.1'), 'listening')
    const { port } = closed.address() as AddressInfo
    await new Promise(done => closed.close(done))

    const away = await storeAt(port)
    const failure = { name: 'BlobStoreError', message: 'S3 failed (ECONNREFUSED)' }
    await expect(readAll(away, 'g/a')).rejects.toMatchObject(failure)
    // With the code on top it would be taken for trouble with Redis.
    await expect(readAll(away, 'g/a')).rejects.not.toHaveProperty('code')
    await expect(away.write('g/b', chunksOf(large))).rejects.toMatchObject(failure)
    await expect(away.removeGroup('g')).rejects.toMatchObject(failure)
    await expect(away.check()).rejects.toThrow(`at 127.0.0.1:${port} cannot be written to (ECONNREFUSED)`)

    const broken = await storeAt(proxy.port)
    await expect(broken.write('g/b', chunksOf(large))).rejects.toThrow(BlobStoreError)
    await expect(readAll(broken, 'g/a')).rejects.toThrow(BlobStoreError)
  })

  it('keeps deployments with another prefix apart', async () => {
    const settings = s3SettingsOf(place.server, { prefix: 'other' })
    const other = await openBlobs({ path: '', s3: settings }, Date.now)
    onTestFinished(() => other.close())
    await other.write('g/a', chunksOf(Buffer.from('theirs')))
    expect(await place.server.kept()).toEqual(expect.arrayContaining(['baton/test/g/a', 'other/g/a']))
    await other.removeGroup('g')
    expect(large.equals(await readAll(place.blobs, 'g/a'))).toBe(true)
  })

  it('signs by the time that it is given, and not by its host’s clock', async () => {
    const dates: unknown[] = []
    const server = createHttpServer((request, response) => {
      dates.push(request.headers['x-amz-date'])
      request.resume().on('end', () => response.writeHead(204).end())
    })
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    let nowMs = Date.parse('2031-02-03T04:05:06.500Z')
    const settings = s3SettingsOf(place.server, { endpoint: `http://127.0.0.1:${port}` })
    const blobs = await openBlobs({ path: '', s3: settings }, () => nowMs)
    onTestFinished(() => blobs.close())
    await blobs.remove('g/a')
    nowMs += 3_600_000
    await blobs.remove('g/a')
    expect(dates.map(date => String(date).slice(0, 11))).toEqual(['20310203T04', '20310203T05'])
  })
})
