import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BlobNotFoundError, BlobStoreError, BlobTooLargeError } from '../../../src/files/blobs/blob-store.ts'
import { type Place, places } from './places.ts'
import { chunksOf, hangingAfter, patterned, readAll } from './sources.ts'

const megabyte = 1024 * 1024
const small = Buffer.from('{"custom_id":"a"}\n')
/** More than three parts of S3, and not a whole number of anything. */
const large = patterned(20 * megabyte + 13)

describe.each(places)('blobs in $name', ({ open }) => {
  let place: Place
  beforeAll(async () => {
    place = await open()
  })
  afterAll(() => place?.close())
  afterEach(async () => {
    await place.blobs.removeGroup('g')
    expect(await place.kept()).toEqual([])
  })
  const read = (key: string, range?: { start: number; end: number }) => readAll(place.blobs, key, range)

  describe('a blob', () => {
    it.each([
      ['no bytes', Buffer.alloc(0)],
      ['few', small],
      ['exactly one part of S3', patterned(5 * megabyte)],
      ['many', large],
    ])('is read as it was written: %s', async (_, bytes) => {
      expect(await place.blobs.write('g/a', chunksOf(bytes))).toEqual({ bytes: bytes.length })
      expect(bytes.equals(await read('g/a'))).toBe(true)
      expect(await place.kept()).toEqual(['g/a'])
    })

    it('can be written in chunks of any size', async () => {
      async function* source() {
        yield large.subarray(0, 1)
        yield Buffer.alloc(0)
        yield large.subarray(1, 12 * megabyte)
        yield large.subarray(12 * megabyte)
      }
      await place.blobs.write('g/a', source())
      expect(large.equals(await read('g/a'))).toBe(true)
    })

    it('is not there before all of it is', async () => {
      const { source, reached, finish } = hangingAfter(large)
      const written = place.blobs.write('g/a', source)
      await reached
      await expect(read('g/a')).rejects.toThrow(BlobNotFoundError)
      finish()
      await written
      expect(large.equals(await read('g/a'))).toBe(true)
    })

    it('is whole when two write it at once', async () => {
      const others = Buffer.from(large).reverse()
      await Promise.all([large, others].map(bytes => place.blobs.write('g/a', chunksOf(bytes))))
      const result = await read('g/a')
      expect(result.equals(large) || result.equals(others)).toBe(true)
    })

    it('keeps apart from others written at the same time', async () => {
      const names = Array.from({ length: 20 }, (_, n) => `g/n-${n}`)
      await Promise.all(names.map(key => place.blobs.write(key, chunksOf(Buffer.from(key)))))
      const results = await Promise.all(names.map(key => read(key)))
      expect(results.map(String)).toEqual(names)
    })

    it('that is not there is told from the first read', async () => {
      await expect(read('g/missing')).rejects.toThrow(BlobNotFoundError)
      await expect(read('g/missing', { start: 5, end: 9 })).rejects.toThrow(BlobNotFoundError)
    })
  })

  it('reads ranges, as far as there are bytes', async () => {
    await place.blobs.write('g/a', chunksOf(large))
    const part = 5 * megabyte
    const { length } = large
    const ranges = [
      [0, 1],
      [part - 3, part + 3],
      [length - 7, length],
      [length - 7, length + 100],
      [0, length + 1],
      [length, length + 10],
      [length + 5, length + 10],
      [3, 3],
    ]
    for (const [start, end] of ranges as [number, number][]) {
      const bytes = await read('g/a', { start, end })
      expect(bytes.equals(large.subarray(start, end)), `${start} to ${end}`).toBe(true)
    }
    await place.blobs.write('g/empty', chunksOf(Buffer.alloc(0)))
    expect(await read('g/empty', { start: 0, end: 10 })).toHaveLength(0)
  })

  describe('a write that fails leaves nothing', () => {
    afterEach(async () => {
      expect(await place.kept()).toEqual([])
      await expect(read('g/a')).rejects.toThrow(BlobNotFoundError)
    })

    it.each([
      ['within the first chunk', 10],
      ['after many', 13 * megabyte],
      ['by the last byte', large.length - 1],
    ])('when it is too large: %s', async (_, maxBytes) => {
      await expect(place.blobs.write('g/a', chunksOf(large), { maxBytes })).rejects.toThrow(BlobTooLargeError)
    })

    it.each([
      ['at once', 0],
      ['early', 100],
      ['late', large.length],
    ])('when the source throws: %s', async (_, after) => {
      const error = new Error('the client went away')
      async function* source() {
        yield* chunksOf(large.subarray(0, after))
        throw error
      }
      await expect(place.blobs.write('g/a', source())).rejects.toBe(error)
    })

    it.each([
      ['early', 100],
      ['late', large.length],
    ])('when it is aborted, though the source hangs: %s', async (_, after) => {
      const controller = new AbortController()
      const { source, reached } = hangingAfter(large.subarray(0, after))
      const written = place.blobs.write('g/a', source, { signal: controller.signal })
      await reached
      const reason = new Error('no longer wanted')
      controller.abort(reason)
      await expect(written).rejects.toBe(reason)
    })

    it('when it was aborted before it began', async () => {
      const signal = AbortSignal.abort(new Error('never wanted'))
      await expect(place.blobs.write('g/a', chunksOf(small), { signal })).rejects.toBe(signal.reason)
    })
  })

  it('takes exactly as many bytes as it may', async () => {
    const { length: maxBytes } = large
    expect(await place.blobs.write('g/a', chunksOf(large), { maxBytes })).toEqual({ bytes: maxBytes })
  })

  it('tells a source that it is left', async () => {
    let left = false
    async function* source() {
      try {
        for (;;) yield small
      } finally {
        left = true
      }
    }
    await expect(place.blobs.write('g/a', source(), { maxBytes: 100 })).rejects.toThrow(BlobTooLargeError)
    expect(left).toBe(true)
  })

  it('asks for no more than it can put away', async () => {
    const total = 192 * megabyte
    let held = 0
    async function* source() {
      for (let sent = 0; sent < total; sent += 256 * 1024) {
        held = Math.max(held, process.memoryUsage().arrayBuffers)
        yield Buffer.alloc(256 * 1024, 'x')
      }
    }
    const before = process.memoryUsage().arrayBuffers
    await place.blobs.write('g/a', source())
    expect(held - before).toBeLessThan(total / 2)
  })

  it('hands out no more than is asked for', async () => {
    await place.blobs.write('g/a', chunksOf(large))
    // More often than there are connections: one that is not given back would be missed.
    for (let round = 0; round < 60; round += 1) {
      for await (const chunk of place.blobs.read('g/a')) {
        expect(chunk.length).toBeLessThan(large.length / 4)
        break
      }
    }
  })

  it('removes one blob, or a group of many, and nothing else', async () => {
    const names = Array.from({ length: 1_100 }, (_, n) => `g/n-${n}`)
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map(key => place.blobs.write(key, chunksOf(small))))
    }
    await place.blobs.write('g-2/a', chunksOf(small))
    await place.blobs.remove('g/n-7')
    await expect(read('g/n-7')).rejects.toThrow(BlobNotFoundError)
    expect(await place.kept()).toHaveLength(1_100)
    await place.blobs.removeGroup('g')
    expect(await place.kept()).toEqual(['g-2/a'])
    await place.blobs.removeGroup('g-2')
  })

  it('is not troubled by removing what is not there', async () => {
    await place.blobs.remove('g/a')
    await place.blobs.remove('g/a')
    await place.blobs.removeGroup('never-was')
  })

  it.each([
    '',
    'a',
    'a/',
    '/a',
    'a/b/c',
    '../a',
    'a/..',
    './a',
    '.tmp/a',
    'a/b.c',
    'A/b',
    'a b/c',
    'a/b\n',
    'a\\b/c',
    'a/b%2e',
    `${'a'.repeat(65)}/b`,
  ])('knows no such key: %j', async key => {
    await expect(place.blobs.write(key, chunksOf(small))).rejects.toThrow(TypeError)
    await expect(read(key)).rejects.toThrow(TypeError)
    await expect(place.blobs.remove(key)).rejects.toThrow(TypeError)
    if (key !== 'a') await expect(place.blobs.removeGroup(key)).rejects.toThrow(TypeError)
  })

  it('says when it cannot be written to', async () => {
    await place.blobs.check()
    await expect(place.unwritable.blobs.check()).rejects.toThrow(place.unwritable.message)
    await expect(place.unwritable.blobs.write('g/a', chunksOf(small))).rejects.toThrow(BlobStoreError)
  })
})
