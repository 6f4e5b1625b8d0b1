import { route, translatedRoute } from './simulated-services.ts'

/** The simulated models repeat it, so that every answer can be matched with its question. */
export const questionOf = (name: string): string => `the question of ${name}`
export const answerTo = (name: string): string => `echo: ${questionOf(name)}`

export const lineName = (index: number): string => `line-${index + 1}`
export const jobName = (index: number): string => `job-${index + 1}`

export const chatBody = (model: string, name: string): object => ({
  model,
  messages: [{ role: 'user', content: questionOf(name) }],
})

/** Every fifth line asks for the other model: one file may ask for several. */
const modelOf = (index: number): string => (index % 5 === 4 ? translatedRoute : route)

/** A batch file as any OpenAI client writes it. */
export const batchFile = (lines: number): string =>
  Array.from(
    { length: lines },
    (_, index) =>
      `${JSON.stringify({
        custom_id: lineName(index),
        method: 'POST',
        url: '/v1/chat/completions',
        body: chatBody(modelOf(index), lineName(index)),
      })}\n`,
  ).join('')
