import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { chainOf } from '../../src/domain/routing/chain.ts'
import { configFolder, faultsOf } from './config-folder.ts'

const routeTo = (model: string, route: string): string =>
  `providers: {p: {type: simulated, models: {m: ${model}}}}\nmodels: {m: {provider: p, ${route}}}`
const capabilitiesOf = (text: string) =>
  chainOf(loadConfig({ cwd: configFolder({ 'baton.yaml': text }), env: {} }), 'm')[0]!.capabilities

describe('capabilities in the config', () => {
  test('a table says yes or no to what it names, and the route wins name by name', () => {
    const text = routeTo('{capabilities: {vision: false, tools: false}}', 'capabilities: {tools: true}')
    expect(capabilitiesOf(text)).toEqual({ vision: false, tools: true })
  })

  test('a list says no to all that it leaves out', () => {
    expect(capabilitiesOf(routeTo('{}', 'capabilities: [tools, n]'))).toMatchObject({
      ...{ tools: true, n: true, vision: false, audio: false, json_schema: false },
    })
    expect(Object.values(capabilitiesOf(routeTo('{capabilities: []}', 'upstream_model: m'))!)).not.toContain(
      true,
    )
  })

  test('a list says nothing of reasoning unless it names it', () => {
    expect(capabilitiesOf(routeTo('{}', 'capabilities: [tools]'))).not.toHaveProperty('reasoning')
    expect(capabilitiesOf(routeTo('{}', 'capabilities: [reasoning]'))).toMatchObject({
      reasoning: true,
      tools: false,
    })
  })

  test('nothing is known where nothing is said', () => {
    expect(capabilitiesOf(routeTo('{}', 'upstream_model: m'))).toBeUndefined()
  })

  test.each([
    ['{visoin: true}', 'models.m.capabilities.visoin'],
    ['[visoin]', 'models.m.capabilities'],
    ['vision', 'models.m.capabilities'],
  ])('%s is told of at %s', (capabilities, path) => {
    const faults = faultsOf(routeTo('{}', `capabilities: ${capabilities}`))
    expect(faults.map(fault => fault.path)).toEqual([path])
    expect(faults[0]).toMatchObject(
      path.endsWith('visoin')
        ? { suggestion: 'vision' }
        : { message: expect.stringContaining('or a list of: vision') },
    )
  })
})
