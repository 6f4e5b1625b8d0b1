import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OperatorSite, openOperatorSite, operatorConfig } from './operator-site.ts'
import { type Run, runIn } from './run-in-folder.ts'

let site: OperatorSite
let simulate: (args: string) => Promise<Run>
beforeAll(async () => {
  site = await openOperatorSite()
  const { baton, openai, anthropic } = site
  const config = operatorConfig(openai.url, anthropic.url)
  const files = { 'baton.yaml': JSON.stringify(config) }
  simulate = args => runIn(files, `simulate ${args}`, { BATON_URL: baton.url })
  const ids = await Promise.all([...Array(120).fill('gpt-4'), 'alone', 'claude'].map(m => baton.chat(m)))
  await Promise.all(ids.map(baton.ended))
})
afterAll(() => site.close())

describe('baton simulate', () => {
  test('what the last jobs would have met', async () => {
    const { exitCode, out } = await simulate('--outage openai --json')
    expect(exitCode).toBe(0)
    const told = JSON.parse(out)
    expect(told).toMatchObject({ outages: ['openai'], last: '1h', jobs: 122, cut: false })
    expect(told.without_outage).toMatchObject({ answered: 122, parked: 0, waited: 0, unknown_duration: 0 })
    expect(told.with_outage).toMatchObject({ answered: 121, parked: 1, no_target: 0, unknown_duration: 0 })
    expect(told.with_outage.providers).toMatchObject([{ provider: 'anthropic', jobs: 121, peak_rpm: 121 }])
    expect(told.with_outage.cost_usd).toBeLessThan(told.without_outage.cost_usd)
    expect(told.assumptions.length).toBeGreaterThan(3)
  })

  test('the same for people', async () => {
    const { out } = await simulate('--outage openai')
    expect(out).toMatch(/^122 jobs of the last 1h, with openai out of use\n/)
    expect(out).toMatch(/answered +122 +121\n/)
    expect(out).toMatch(/parked until the outage ends +0 +1\n/)
    expect(out).toMatch(/openai \(out\) +121 -> 0 +121 -> 0 \(no limit set\)/)
    expect(out).toMatch(/anthropic +1 -> 121 /)
    expect(out).toContain('assumed:\n')
  })

  test('several outages', async () => {
    const { out } = await simulate('--outage openai --outage anthropic --json')
    expect(JSON.parse(out).with_outage).toMatchObject({ answered: 0, parked: 122, providers: [] })
  })

  test('by another config, and its strategy', async () => {
    const { providers, models } = operatorConfig(site.openai.url, site.anthropic.url)
    const cheap = { ...models, 'gpt-4': { ...models['gpt-4'], strategy: 'cheapest' } }
    const files = { 'new.yaml': JSON.stringify({ providers, models: cheap }) }
    const args = 'simulate --config new.yaml --outage openai --json'
    const { out } = await runIn(files, args, { BATON_URL: site.baton.url })
    expect(JSON.parse(out).without_outage.providers).toMatchObject([
      { provider: 'anthropic', jobs: 121 },
      { provider: 'openai', jobs: 1 },
    ])
  })

  test.each([
    ['--outage opanai', 1, 'did you mean "openai"?'],
    ['--outage openai --last soon', 1, 'expected a duration'],
    ['', 2, '--outage'],
  ])('simulate %s is refused', async (args, code, message) => {
    const { exitCode, err } = await simulate(args)
    expect(exitCode).toBe(code)
    expect(err).toContain(message)
  })
})
