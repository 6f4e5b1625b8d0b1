import { describe, expect, it } from 'vitest'
import { circlesOf, code, importsOf, product } from './tree.ts'

const linesOf = (file: string): number => code.get(file)!.split('\n').length - 1
const lengths = product.map(linesOf).toSorted((a, b) => a - b)
const at = (share: number): number => lengths[Math.floor(share * (lengths.length - 1))]!

describe('the shape of src and workers', () => {
  it('prints how many files there are, and how long', () => {
    const slivers = lengths.filter(lines => lines < 40).length
    const long = product.filter(file => linesOf(file) > 300)
    console.log(
      `${product.length} files, ${lengths.reduce((a, b) => a + b, 0)} lines: median ${at(0.5)}, p90 ${at(0.9)}, ` +
        `longest ${at(1)}; ${slivers} below 40 lines, ${long.length} above 300${long.map(f => `\n  ${f}`).join('')}`,
    )
    expect(product.length).toBeGreaterThan(100)
  })

  it('no file imports itself by way of others, types included', () => {
    const inside = new Set(product)
    expect(circlesOf(product, file => importsOf(file).filter(target => inside.has(target)))).toEqual([])
  })

  it('finds a circle where there is one', () => {
    const edges: Record<string, string[]> = { a: ['b'], b: ['c'], c: ['b', 'd'], d: [] }
    expect(circlesOf(Object.keys(edges), node => edges[node]!)).toEqual([['b', 'c']])
  })
})
