import { describe, expect, it } from 'vitest'
import { parseRedisUrl } from '../../src/redis/address.ts'

const table: [url: string, address: object][] = [
  ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
  ['redis://10.0.0.1:7000/3', { host: '10.0.0.1', port: 7000, db: 3 }],
  ['redis://:p%40ss@cache', { host: 'cache', port: 6379, db: 0, password: 'p@ss' }],
  ['redis://ann:secret@cache/', { host: 'cache', port: 6379, db: 0, username: 'ann', password: 'secret' }],
  [
    'rediss://cache.example:6380',
    { host: 'cache.example', port: 6380, db: 0, tls: { servername: 'cache.example' } },
  ],
  ['rediss://10.0.0.1', { host: '10.0.0.1', port: 6379, db: 0, tls: {} }],
  ['redis://[::1]:7000', { host: '::1', port: 7000, db: 0 }],
]

describe('a Redis URL', () => {
  it.each(table)('%s is taken apart', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  it.each([
    'cache:6379',
    'http://:hunter2@cache',
    'redis://',
    'redis://:hunter2@cache/main',
    'redis://:hunter2%@cache',
  ])('%s is refused without being repeated', url => {
    const attempt = () => parseRedisUrl(url)
    expect(attempt).toThrow(/malformed/)
    expect(attempt).not.toThrow(/hunter2|cache/)
  })
})
