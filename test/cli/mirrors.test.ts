import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { runIn } from './run-in-folder.ts'

let first: SimProvider
let longer: SimProvider
let longest: SimProvider
let baton: BatonApi

beforeAll(async () => {
  first = createSimProvider()
  longer = createSimProvider({ answerBytes: 80 })
  longest = createSimProvider({ answerBytes: 40_000 })
  await Promise.all([first.start(), longer.start(), longest.start()])
  const mirror = { to: 'longer/claude', sample: 1 }
  const config = {
    providers: {
      first: { type: 'openai', base_url: `${first.url}/v1`, api_key: 'k' },
      longer: { type: 'anthropic', base_url: longer.url, api_key: 'k' },
      longest: { type: 'anthropic', base_url: longest.url, api_key: 'k' },
    },
    models: {
      'team/kept': { provider: 'first', mirror: { ...mirror, keep_pairs: 2 } },
      cut: { provider: 'first', mirror: { to: 'longest/claude', sample: 1, keep_pairs: 1 } },
      unkept: { provider: 'first', mirror },
      unused: { provider: 'first', mirror: { ...mirror, keep_pairs: 2 } },
    },
  }
  baton = await openBaton({ level: 'api', config, graceMs: 100 })
})
afterAll(async () => {
  await baton.stop()
  await Promise.all([first.stop(), longer.stop(), longest.stop()])
})

const run = (commandLine: string) => runIn({}, commandLine, { BATON_URL: baton.url })
const rowOf = async (route: string): Promise<string[]> => {
  const { out } = await run('mirrors')
  const row = out.split('\n').find(line => line.startsWith(`${route} `))
  return row!.split(/ {2,}/)
}
const compared = async (route: string, prompt: string): Promise<string> => {
  const { id } = await baton.ended(await baton.chat(route, { prompt }))
  await until(async () => (await rowOf(route))[3] === '1')
  return id
}

describe('baton mirrors', () => {
  test('what each mirror has shown, and the answers that differ, harmless to a terminal', async () => {
    const id = await compared('team/kept', 'one\u001b[2J\u009b1m\ntwo')
    expect((await run('mirrors')).out).toMatch(
      /^ROUTE +MIRROR +SAMPLED +COMPARED +FAILED +EXACT +ALIKE +LATENCY +COST +PAIRS\n/,
    )
    expect(await rowOf('team/kept')).toEqual([
      ...['team/kept', 'longer/claude', '1', '1', '0', '0 %', '0 %'],
      ...[expect.stringMatching(/^[+-][\d.]+ ms$/), '-', 'last 2'],
    ])
    const { exitCode, out } = await run('mirrors --pairs team/kept')
    expect([exitCode, out.split('\n')]).toEqual([
      0,
      [
        expect.stringMatching(new RegExp(`^\\S+ \\S+ UTC {2}${id}$`)),
        expect.stringMatching(/^ {2}first\/team\/kept: 200 after \d+ ms$/),
        '    echo: one\ufffd[2J\ufffd1m',
        '    two',
        expect.stringMatching(/^ {2}longer\/claude: 200 after \d+ ms$/),
        '    echo: one\ufffd[2J\ufffd1m',
        expect.stringMatching(/^ {4}two\.+$/),
      ],
    ])
    const [pair] = JSON.parse((await run('mirrors --pairs team/kept --json')).out)
    expect(pair).toMatchObject({
      job_id: id,
      original: { answer: { object: 'chat.completion' }, cut: false },
    })
    const [mirror] = JSON.parse((await run('mirrors --json')).out)
    expect(mirror).toMatchObject({ route: 'team/kept', keep_pairs: 2, compared: 1 })
  })

  test('a long answer is shown as far as it is kept', async () => {
    await compared('cut', 'long')
    const { out } = await run('mirrors --pairs cut')
    expect(out).toMatch(/\n {2}longest\/claude: 200 after \d+ ms, cut\n {4}\{"/)
    const [pair] = JSON.parse((await run('mirrors --pairs cut --json')).out)
    expect(Buffer.byteLength(pair.mirror.answer)).toBe(16 * 1024)
  })

  test('why there is nothing to be seen', async () => {
    await compared('unkept', 'else')
    expect((await run('mirrors --pairs unkept')).out).toBe(
      'The mirror of unkept keeps no answers: its keep_pairs is 0.',
    )
    expect((await run('mirrors --pairs unused')).out).toBe(
      'No answers of unused and its mirror that differ are kept.',
    )
    const { exitCode, err } = await run('mirrors --pairs nowhere')
    expect([exitCode, err]).toEqual([1, expect.stringContaining("There is no mirror of 'nowhere'.")])
  })
})
