import { expect, it } from 'vitest'
import { coalesce, type Weight } from '../../src/redis/coalesce.ts'

const groupsOf = async (items: readonly number[], weight?: Weight<number>): Promise<number[][]> => {
  const groups: number[][] = []
  const ask = coalesce<number, number>(
    item => item % 2,
    async (shard, group) => {
      expect(new Set(group.map(item => item % 2))).toEqual(new Set([shard]))
      groups.push([...group])
      return group.map(item => item * 10)
    },
    weight,
  )
  expect(await Promise.all(items.map(item => ask(item)))).toEqual(items.map(item => item * 10))
  return groups
}

const even = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 * i)

it('what is asked in one turn goes together, by shard, a hundred at most', async () => {
  expect(await groupsOf([1, 2, 3, 4])).toEqual([
    [1, 3],
    [2, 4],
  ])
  expect((await groupsOf(even(250))).map(group => group.length)).toEqual([100, 100, 50])
  expect((await groupsOf(even(10), { most: 4 })).map(group => group.length)).toEqual([4, 4, 2])
})

it('long texts go in several scripts, in their order, and one that is too long alone', async () => {
  const kB = 1024
  const sizes: Record<number, number> = {
    0: 60,
    2: 60,
    4: 60,
    6: 60,
    8: 60,
    10: 0,
    12: 300,
    14: 1,
    16: 255,
    18: 1,
  }
  const bytesOf = (item: number): number => sizes[item]! * kB
  expect(await groupsOf(even(10), { bytesOf })).toEqual([[0, 2, 4, 6], [8, 10], [12], [14, 16], [18]])
})
