import { type Api, bodyOf } from '../harness/api.ts'
import type { Ledger } from './ledger.ts'

/** Two routes, each with its own provider first, so that every format and the translation are at work. */
export const routes = ['gpt-4', 'claude-3-sonnet'] as const

export const question = (index: number): string => `question ${index} ${'x'.repeat(200)}`

export const chatOf = (index: number, route: string = routes[index % routes.length]!): object => ({
  model: route,
  messages: [{ role: 'user', content: question(index) }],
})

interface Job {
  readonly id: string
  readonly status: string
  readonly error: { readonly code: string } | null
  readonly response: { readonly body: unknown } | null
}

/** Every so many-th has it. */
const webhookEvery = 5
const keyEvery = 7

/** Submits a job, waits for its end by a poll that hangs, and looks at the result. */
export const runJob = async (api: Api, ledger: Ledger, index: number, webhookUrl: string): Promise<void> => {
  const startedAt = performance.now()
  const hasWebhook = index % webhookEvery === 0
  const submitted = bodyOf<Job>(
    await api.send('/v1/jobs', {
      method: 'POST',
      body: { body: chatOf(index), ...(hasWebhook && { webhook: { url: webhookUrl } }) },
      headers: index % keyEvery === 0 ? { 'idempotency-key': `soak-${index}` } : {},
    }),
    202,
  )
  ledger.submitted(performance.now() - startedAt)
  if (hasWebhook) ledger.expectWebhook(submitted.id)
  const job = bodyOf<Job>(await api.send(`/v1/jobs/${submitted.id}`, { headers: { prefer: 'wait=60' } }))
  ledger.completed(performance.now() - startedAt)
  if (job.status !== 'succeeded') throw new Error(`ended as ${job.status} ${job.error?.code ?? ''}`)
  expectAnswer(job.response?.body, index)
}

/** Calls as an existing client does, whose connection waits. */
export const callDoor = async (api: Api, ledger: Ledger, index: number): Promise<void> => {
  const startedAt = performance.now()
  const answer = bodyOf(await api.send('/v1/chat/completions', { method: 'POST', body: chatOf(index) }))
  ledger.completed(performance.now() - startedAt)
  expectAnswer(answer, index)
}

/** The simulated models say back how what they were asked begins. */
const expectAnswer = (answer: unknown, index: number): void => {
  const { choices } = answer as { choices?: { message?: { content?: string } }[] }
  if (choices?.[0]?.message?.content === `echo: ${question(index).slice(0, 64)}`) return
  throw new Error('the answer is that of another question')
}
