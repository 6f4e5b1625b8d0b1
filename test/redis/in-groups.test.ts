import { expect, it } from 'vitest'
import { eachInGroups, inGroups } from '../../src/redis/in-groups.ts'

it('does a few at a time, and all though some fail, or none after that', async () => {
  const begun: number[] = []
  let [underWay, most] = [0, 0]
  const work = async (item: number, index: number): Promise<number> => {
    expect(index).toBe(begun.push(item) - 1)
    most = Math.max(most, ++underWay)
    await new Promise(setImmediate)
    underWay -= 1
    if (item % 3 === 2) throw new Error(`no ${item}`)
    return item * 10
  }
  expect(await inGroups([0, 1, 3, 4, 6, 7, 9], work)).toEqual([0, 10, 30, 40, 60, 70, 90])
  expect(most).toBe(4)
  begun.splice(0)
  await expect(eachInGroups([1, 2, 3, 4, 5, 6, 7], work)).rejects.toThrow('no 2')
  expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7])
  begun.splice(0)
  // Who waits for all of them, as for a list, is told at once.
  await expect(inGroups([1, 2, 3, 4, 5, 6, 7], work)).rejects.toThrow('no 2')
  expect(begun).toEqual([1, 2, 3, 4])
})
