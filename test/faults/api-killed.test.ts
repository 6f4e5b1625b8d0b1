import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
  await rig.site.worker('first')
})
afterEach(() => rig.close())

const kills = 6
const burst = 80

interface Sent {
  readonly user: string
  id: string | null
}

/** Submits with as many connections as it takes, and kills the API somewhere in the middle of it. */
const burstUntilKilled = async (round: number): Promise<Sent[]> => {
  const { api, client } = rig
  let answered = 0
  // Between the first answers and the last: where, is left to chance.
  const killAfter = Math.floor(Math.random() * burst * 0.8)
  const sent = Array.from({ length: burst }, async (_, i): Promise<Sent> => {
    const user = `${round}-${i}`
    const id = await client.submit({ model: 'plain', user, key: user })
    answered += 1
    return { user, id }
  })
  await until(() => answered >= killAfter)
  await api.kill()
  return Promise.all(sent)
}

describe('an API that is killed', () => {
  it('ends every accepted job once when the API is killed amid submissions, and loses none that a client repeats', async () => {
    const { client, first } = rig
    const sent: Sent[] = []
    for (let round = 0; round < kills; round++) {
      sent.push(...(await burstUntilKilled(round)))
      await rig.startApi()
    }
    const unanswered = sent.filter(({ id }) => id === null)
    expect(unanswered.length).toBeGreaterThan(0)
    // Some of these were recorded, without a doorbell or an answer: the key finds them.
    await Promise.all(
      unanswered.map(async job => {
        job.id = await client.submit({ model: 'plain', user: job.user, key: job.user })
      }),
    )

    const jobs = await Promise.all(sent.map(({ id }) => client.ended(id!)))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    expect(new Set(jobs.map(job => job.id)).size).toBe(sent.length)
    expect(await client.all()).toHaveLength(sent.length)
    expect(first.calls.identities).toEqual(Object.fromEntries(sent.map(({ user }) => [user, 1])))
  })
})
