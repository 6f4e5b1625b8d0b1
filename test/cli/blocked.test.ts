import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { runBaton } from '../../src/cli/program.ts'
import { openReasonsSite, type ReasonsSite, trouble } from '../api/reasons-site.ts'
import { configFolder } from '../config/config-folder.ts'
import { stillIo } from './command.ts'
import { runIn } from './run-in-folder.ts'

let site: ReasonsSite
let blobs: string
beforeAll(async () => {
  blobs = await mkdtemp(join(tmpdir(), 'baton-blocked-cli-'))
  site = await openReasonsSite({ batches: true, config: { storage: { path: blobs } } })
  site.openai.answers(trouble.openai['a wrong key'])
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await rm(blobs, { recursive: true, force: true })
})

const env = () => ({ BATON_URL: site.baton.url })
const line = JSON.stringify({
  custom_id: 'a',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] },
})

describe('baton batches with a batch that waits for a person', () => {
  it('a batch that waits for a person is told by every command that shows it', async () => {
    const well = await runIn({}, 'status', env())
    expect(well.exitCode).toBe(0)

    const said: string[] = []
    const submitted = runBaton(['submit', 'in.jsonl', '--wait'], {
      ...stillIo,
      cwd: configFolder({ 'in.jsonl': line }),
      env: env(),
      out: () => undefined,
      err: text => said.push(text),
      progress: { write: text => said.push(text) },
    })
    const [batch] = await until(async () => {
      const { data } = await site.get('/v1/batches?blocked=true')
      return data.length > 0 && data
    })
    const status = await runIn({}, 'status', env())
    expect(status.exitCode).toBe(1)
    expect(status.out).toMatch(/stopped: key openai#\w{8} \(invalid_api_key\): Incorrect API key\./)
    expect(status.out).toContain(
      `blocked: ${batch.id}, by openai/gpt-4 (bad_credentials): Incorrect API key.`,
    )
    expect((await runIn({}, 'batches', env())).out).toContain('in_progress, blocked')
    expect((await runIn({}, `batches show ${batch.id}`, env())).out).toMatch(
      /blocked +blocked since .+: openai\/gpt-4, its key is not taken \(Incorrect API key\.\)/,
    )
    const parked = await runIn({}, 'jobs --status parked', env())
    expect(parked.out).toContain('parked')
    const [job] = JSON.parse((await runIn({}, `jobs --batch ${batch.id} --json`, env())).out)
    expect(job).toMatchObject({ status: 'parked', batch_id: batch.id })
    expect((await runIn({}, `jobs show ${job.id}`, env())).out).toContain(
      'openai/gpt-4 answered 401 (invalid_api_key): Incorrect API key.',
    )
    expect((await runIn({}, `explain ${job.id}`, env())).out).toContain('it said: Incorrect API key.')

    const isToldAs = (): number => said.join('').match(/is blocked since/g)?.length ?? 0
    await until(() => isToldAs() > 0)
    await site.clients.openai.batches.cancel(batch.id)
    expect(await submitted).toBe(5)
    expect(isToldAs()).toBe(1)
  })
})
