import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configFolder, faultsOf } from './config-folder.ts'

const providers = 'providers: {p: {type: simulated}, q: {type: simulated, models: {x: {}}}}\n'
const faults = (text: string): readonly Fault[] => faultsOf(providers + text)

const cases: [text: string, fault: Partial<Fault>][] = [
  ['models: {"a/*/*": {provider: p}}', { path: 'models.a/*/*', message: 'has more than one star' }],
  [
    'models: {"a/*": {provider: p, upstream_model: "*/*"}}',
    { path: 'models.a/*.upstream_model', message: 'has more than one star' },
  ],
  [
    'models: {a: {provider: p, upstream_model: "*"}}',
    { path: 'models.a.upstream_model', message: 'has a star, and "a" has none that says what stands for it' },
  ],
  [
    'models: {"b/*": {provider: p}, a: {provider: p, fallback_to: "b/*"}}',
    {
      path: 'models.a.fallback_to',
      message: '"b/*" has a star, and "a" has none that says what stands for it',
    },
  ],
  [
    'models: {"a/*": {provider: p, fallback_to: "b/*"}}',
    { path: 'models.a/*.fallback_to', message: 'there is no route "b/*"' },
  ],
  ...(['cache: {}', 'mirror: {to: p/m}'] as const).map((setting): [string, Partial<Fault>] => [
    `models: {"a/*": {provider: p, ${setting}}}`,
    {
      path: `models.a/*.${setting.split(':')[0]}`,
      message: 'is for a route without a star: give the model one of its own',
    },
  ]),
  [
    'models: {"a/*": {provider: p, fallback_to: ["a/b/*"]}}',
    { path: 'models.a/*.fallback_to', message: 'loops: a/* -> a/*' },
  ],
  [
    'models: {m: {provider: p}}\naliases: {m: m}',
    { path: 'aliases.m', message: 'is the name of a route as well' },
  ],
  [
    'models: {model: {provider: p}}\naliases: {n: modl}',
    { path: 'aliases.n', message: 'there is no route "modl"', suggestion: 'model' },
  ],
  [
    'models: {m: {provider: p}}\naliases: {n: m, o: n}',
    { path: 'aliases.o', message: '"n" is an alias itself' },
  ],
  [
    'models: {"a/*": {provider: p}}\naliases: {n: "a/*"}',
    { path: 'aliases.n', message: 'has a star: only a route may have one, see models' },
  ],
]

describe('names of routes', () => {
  test.each(cases)('%s', (text, fault) => {
    const found = faults(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject(fault)
  })

  test.each([
    'models: {"*": {provider: p}}',
    'models: {"a/*": {provider: p, fallback_to: "b/a/*"}, "b/*": {provider: p}}',
    'models: {"a/*": {provider: q}}',
    'models: {m: {provider: p, fallback_to: b/x}, "b/*": {provider: p}}',
    'models: {"b/*": {provider: p}}\naliases: {n: b/x}',
    'models: {m: {provider: p, fallback_to: n}, o: {provider: p}}\naliases: {n: o}',
  ])('%s is valid', text => {
    expect(() => loadConfig({ cwd: configFolder({ 'baton.yaml': providers + text }), env: {} })).not.toThrow()
  })
})
