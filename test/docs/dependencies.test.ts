import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import lock from '../../package-lock.json' with { type: 'json' }
import { readDoc, root } from './markdown.ts'

interface Installed {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
}

const production = Object.entries(lock.packages as Record<string, Installed>)
  .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
  .map(([path, { optional = false }]) => ({ path, optional }))
const here = production.filter(({ path }) => existsSync(join(root, path)))
const required = production.filter(({ optional }) => !optional)

const bytesOf = (path: string): number =>
  globSync('**', { cwd: join(root, path), exclude: name => name === 'node_modules' })
    .map(name => statSync(join(root, path, name), { throwIfNoEntry: false }))
    .reduce((sum, facts) => sum + (facts?.isFile() ? facts.size : 0), 0)

/** Licences that let a package be passed on within a product of another licence, with its notice. */
const allowed = [
  'MIT',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
]

/** `(A OR B)`: either will do. */
const isAllowed = (licence: string): boolean =>
  licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some(each => allowed.includes(each))

describe('production dependencies', () => {
  const doc = readDoc('docs/dependencies.md')

  test('each has a row that tells what it is for, and no row is of another', () => {
    const rows = [...doc.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(([, name, cells]) => [
      name,
      cells!.split('|').length,
    ])
    expect(rows.toSorted()).toEqual(
      Object.keys(manifest.dependencies)
        .map(name => [name, 6])
        .toSorted(),
    )
  })

  test('are fewer than 140 packages and 120 MB, as the page says', () => {
    const megabytes = here.reduce((sum, { path }) => sum + bytesOf(path), 0) / 1e6
    expect(required.length).toBeLessThan(140)
    expect(megabytes).toBeLessThan(120)
    const [, chosen, all, withOptional] =
      /(\d+) packages by choice, (\d+) in all .* \((\d+) with them\)/.exec(doc)!
    expect([chosen, all, withOptional].map(Number)).toEqual([
      Object.keys(manifest.dependencies).length,
      required.length,
      production.length,
    ])
  })

  test('renovate.json names those that there are', () => {
    const { packageRules } = JSON.parse(readFileSync(join(root, 'renovate.json'), 'utf8')) as {
      packageRules: readonly { matchPackageNames?: string[]; matchDepNames?: string[] }[]
    }
    const { dependencies, devDependencies, overrides } = manifest
    const known = Object.keys({ ...dependencies, ...devDependencies, ...overrides })
    const named = packageRules.flatMap(rule => [
      ...(rule.matchPackageNames ?? []),
      ...(rule.matchDepNames ?? []),
    ])
    // Redis is the image of the compose file.
    for (const name of named.filter(name => name !== 'redis'))
      expect(
        known.filter(one => one === name || (name.endsWith('/**') && one.startsWith(name.slice(0, -2)))),
        name,
      ).not.toEqual([])
  })

  test('Node itself is none of them', () => {
    expect(Object.keys(manifest.dependencies)).not.toContain('node')
    expect(required.map(({ path }) => path)).not.toContain('node_modules/node')
  })

  test.each(here)('$path may be passed on', ({ path }) => {
    const { license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as {
      license?: unknown
    }
    expect(license).toSatisfy((text: unknown) => typeof text === 'string' && isAllowed(text))
  })
})
