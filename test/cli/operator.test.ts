import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { versionOf } from '../../src/config/changes.ts'
import type { JobView } from '../../src/jobs/view.ts'
import { type OperatorSite, openOperatorSite } from './operator-site.ts'

let site: OperatorSite
beforeEach(async () => {
  site = await openOperatorSite()
})
afterEach(() => site.close())

const rowsOf = (text: string): string[][] => text.split('\n').map(line => line.split(/ {2,}/))
/** Of the one webhook that is sent in these tests: its address refuses all. */
const webhook = { url: 'https://127.0.0.1:1/hook' }

describe('commands of operators', () => {
  test('status and providers, well and not', async () => {
    await until(async () => (await site.run('status')).exitCode === 0)
    const well = await site.run('status')
    expect(well.out).toMatch(/^http:.+ takes jobs\nPROVIDER .+\nopenai +openai +healthy +0 +0 +1\n/)
    expect(well.out).toMatch(/\nwebhooks given up: 0$/)

    const { redis, keys, config } = site.baton.context
    const beat = (instance: string, config: string, openedMinutesAgo: number) => {
      const more = { ends: {}, seenAtMs: Date.now() + 3_600_000 }
      const openedAtMs = Date.now() - openedMinutesAgo * 60_000
      const presence = JSON.stringify({ instance, config, openedAtMs, ...more })
      return redis.hset(`${keys.prefix}:{health}:processes`, instance, presence)
    }
    // The API of this site began a moment ago, on the config of the first.
    await beat('first', versionOf(config), 30)
    await beat('left', 'another', 20)
    const apart = `processes run on different configs: ${versionOf(config)} (2 processes), another (1 process)`
    await until(async () => (await site.run('status')).out.includes(apart))
    expect((await site.run('status')).exitCode).toBe(0)
    const metrics = await (await fetch(`${site.baton.url}/metrics`)).text()
    expect(metrics).toMatch(/^baton_running_configs 2$/m)

    const paused = await site.run('providers pause openai')
    expect(rowsOf(paused.out)[1]).toEqual(['openai', 'openai', 'paused (operator)', '0', '0', '1'])
    await until(async () => (await site.run('status')).exitCode === 1)
    expect((await site.run('status')).out).toContain('\nunavailable: openai\n')

    const resumed = await site.json<{ name: string; state: string }>('providers resume openai')
    expect(resumed).toMatchObject({ name: 'openai', state: 'healthy' })
    const listed = await site.json<{ name: string }[]>('providers')
    expect(listed.map(({ name }) => name)).toEqual(['openai', 'anthropic'])
  })

  test('status names a model that is out of use while its provider is not, and wakes nobody for it', async () => {
    await site.close()
    const models = {
      'gpt-4': { provider: 'openai' },
      'fail-500': { provider: 'openai', fallback_to: 'claude' },
      claude: { provider: 'anthropic' },
    }
    site = await openOperatorSite({ models })
    for (let i = 0; i < 12; i++) await site.baton.chat(i % 2 === 0 ? 'gpt-4' : 'fail-500')
    await until(async () => (await site.run('status')).out.includes('unavailable: openai/fail-500 ('))
    expect((await site.run('status')).exitCode).toBe(0)
  })

  test('routes, in the order of now', async () => {
    const models = {
      shared: {
        provider: 'openai',
        fallback_to: 'claude',
        strategy: 'weighted',
        weights: { claude: 3, openai: 1 },
      },
      claude: { provider: 'anthropic', price: { input: 3, output: 15 } },
    }
    const other = await openOperatorSite({ models })
    const { out } = await other.run('routes')
    const [first] = await other.json<{ id: string; strategy: string }[]>('routes')
    await other.close()
    expect(rowsOf(out)).toEqual([
      ['ROUTE', 'STRATEGY', 'TARGET', 'SHARE', 'FAILURES', 'P95', 'PRICE', 'OUT UNTIL'],
      ['shared', 'weighted', 'anthropic/claude', '75 %', '0', '-', '$3/$15'],
      ['', 'openai/shared', '25 %', '0', '-', '-'],
      ['claude', 'ordered', 'anthropic/claude', '-', '0', '-', '$3/$15'],
    ])
    expect(first).toMatchObject({ id: 'shared', strategy: 'weighted' })
  })

  test('usage, as a table, as values and refused', async () => {
    const { baton } = site
    await baton.ended(await baton.chat('claude'))
    const table = rowsOf((await site.run('usage --by provider')).out)
    expect(table[0]!.slice(0, 4)).toEqual(['DAY', 'PROVIDER', 'REQUESTS', 'FAILED'])
    expect(table[1]!.slice(1, 4)).toEqual(['anthropic', '1', '0'])
    const csv = (await site.run('usage --csv')).out.split('\n')
    expect(csv[0]).toMatch(/^day,group,requests,failed,input_tokens,/)
    expect(csv[1]).toMatch(/^\d{4}-\d\d-\d\d,claude,1,0,\d+,0,\d+,[\d.e-]+,0$/)
    expect((await site.run('usage --from 2025-01-01 --to 2025-01-02')).out).toBe(
      'No jobs ended in this time.',
    )
    expect((await site.run('usage --from yesterday')).exitCode).toBe(2)
  })

  test('jobs: list, show, cancel and retry', async () => {
    const { baton, openai } = site
    const done = await baton.chat('claude')
    await baton.ended(done)
    openai.script({ fault: { kind: 'hang' } })
    const hanging = await baton.chat('alone')

    expect(rowsOf((await site.run('jobs')).out)).toEqual([
      ['JOB', 'STATUS', 'MODEL', 'PROVIDER', 'CALLS', 'CREATED'],
      [
        hanging,
        expect.stringMatching(/queued|running/),
        'alone',
        'openai',
        '0',
        expect.stringMatching(/UTC$/),
      ],
      [done, 'succeeded', 'claude', 'anthropic', '1', expect.stringMatching(/UTC$/)],
    ])
    const succeeded = await site.json<JobView[]>('jobs list --status succeeded --limit 5')
    expect(succeeded.map(({ id }) => id)).toEqual([done])
    expect((await site.run('jobs --status parked')).out).toBe('There are no such jobs.')
    expect((await site.run('jobs --status lost')).exitCode).toBe(2)
    const idsBy = async (filters: string): Promise<string[]> =>
      (await site.json<JobView[]>(`jobs list ${filters}`)).map(({ id }) => id)
    expect(await idsBy('--route alone --provider openai')).toEqual([hanging])
    expect(await idsBy('--provider anthropic --since 1h')).toEqual([done])
    expect(await idsBy('--until 2025-01-01')).toEqual([])
    expect(await idsBy('--code expired')).toEqual([])
    expect(await idsBy('--metadata team=a --metadata user=b')).toEqual([])
    expect((await site.run('jobs --metadata team')).err).toContain('KEY=VALUE')
    expect((await site.run('jobs --since yesterday')).exitCode).toBe(2)

    const shown = await site.run(`jobs show ${done}`)
    expect(shown.out).toMatch(/\n {2}provider +anthropic\/claude\n/)
    expect(shown.out).toContain(`why: npx baton explain ${done}`)
    const whole = await site.json<JobView>(`jobs show ${done}`)
    expect(whole.response).toMatchObject({ status_code: 200 })

    expect((await site.run(`jobs cancel ${hanging}`)).out).toMatch(/\n {2}status +cancelled\n/)
    const again = await site.json<JobView>(`jobs retry ${hanging}`)
    expect(again).toMatchObject({ retry_of: hanging, model: 'alone' })
    const refused = await site.run(`jobs retry ${done}`)
    expect(refused.exitCode).toBe(1)
    expect(refused.err).toContain('job_not_retryable')
  })

  test('dead letters: list and redeliver', async () => {
    expect((await site.run('dead-letters')).out).toBe('No webhook was given up.')
    const { baton } = site
    const id = await baton.chat('claude', { webhook })
    await baton.ended(id)
    // As its worker writes it down once the schedule has come to its end.
    await until(async () => {
      const { delivery } = (await baton.context.store.read(id))!
      const attempts = delivery!.attempts
      return baton.context.deliveries.jobs.recordDelivery(id, attempts, { status: 'dead', reason: 'connect' })
    })
    expect(rowsOf((await site.run('dead-letters list')).out)[1]).toEqual([
      id,
      expect.stringMatching(/UTC$/),
      expect.any(String),
      'connect',
      webhook.url,
    ])
    expect((await site.json<object[]>('dead-letters'))[0]).toMatchObject({ job_id: id, reason: 'connect' })
    expect((await site.run(`dead-letters list --after ${id}`)).out).toBe('There are no more.')
    expect((await site.run('dead-letters list --after nothing')).err).toContain('invalid_cursor')
    expect((await site.run(`dead-letters redeliver ${id}`)).out).toBe(`the webhook of ${id} is sent again`)
    await until(async () => (await site.run('dead-letters')).out === 'No webhook was given up.')
  })

  test('an API that is not there is told, and where it was looked for', async () => {
    const { exitCode, err } = await site.run('status --url http://127.0.0.1:1')
    expect(exitCode).toBe(1)
    expect(err).toContain('no answer from the API at http://127.0.0.1:1')
  })
})
