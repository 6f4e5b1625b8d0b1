import { describe, expect, it } from 'vitest'
import { describePlace } from '../../src/redis/place.ts'
import { placeOfTopology } from './place-of-topology.ts'

const place = (config: object) => placeOfTopology({ config })

const sentinel = {
  name: 'mymaster',
  nodes: ['sentinel-1.internal:26379', '[::1]:26380'],
  username: 'ann',
  password: 'hunter2',
  sentinel_username: 'watch',
  sentinel_password: 'hunter3',
  db: 2,
  tls: true,
}

describe('where a config says that Redis is', () => {
  it('may be a URL', () => {
    expect(place({ url: 'redis://:hunter2@h:1' })).toBe('redis://:hunter2@h:1')
    expect(describePlace('redis://:hunter2@h:1')).toBe('Redis at h:1')
  })

  it('may be what Sentinels say', () => {
    expect(place({ sentinel })).toEqual({
      kind: 'sentinel',
      name: 'mymaster',
      nodes: [
        { host: 'sentinel-1.internal', port: 26_379 },
        { host: '::1', port: 26_380 },
      ],
      username: 'ann',
      password: 'hunter2',
      sentinelUsername: 'watch',
      sentinelPassword: 'hunter3',
      db: 2,
      tls: true,
    })
    expect(describePlace(place({ sentinel }))).toBe(
      'The master "mymaster" of the Sentinels at sentinel-1.internal:26379, ::1:26380',
    )
  })

  it('may be the nodes of a Cluster', () => {
    const cluster = { nodes: ['a:1', 'b:2'], password: 'hunter2' }
    expect(place({ cluster })).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      password: 'hunter2',
      tls: false,
    })
    expect(describePlace(place({ cluster }))).toBe('The Redis Cluster of a:1, b:2')
  })

  it('may be left out', () => {
    expect(place({})).toBeUndefined()
  })
})
