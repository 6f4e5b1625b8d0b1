import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { inLanes } from '../support/chat.ts'

export interface BareLoopInput {
  readonly url: string
  /** A batch's file of requests. */
  readonly inputPath: string
  readonly outputPath: string
  /** Calls in flight. */
  readonly lanes: number
}

/** What it prints at its end. */
export interface BareLoopReport {
  readonly ms: number
  readonly cpuMicros: number
  readonly peakBytes: number
}

// What a user would write in place of a batch: reads the requests, keeps so many `fetch` under way and appends the answers
// to a file, which keeps nothing through a crash.
const { url, inputPath, outputPath, lanes } = JSON.parse(process.argv[2]!) as BareLoopInput
process.send!('ready')
const startedAt = performance.now()
const cpuBefore = process.cpuUsage()

const lines: string[] = []
for await (const line of createInterface({ input: createReadStream(inputPath) })) lines.push(line)
const output = createWriteStream(outputPath)
const headers = { 'content-type': 'application/json', authorization: 'Bearer bench' }

await inLanes(lanes, lines.length, async index => {
  const { custom_id, url: path, body } = JSON.parse(lines[index]!)
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`)
  output.write(`${JSON.stringify({ custom_id, response: { body: await answer.json() } })}\n`)
})
output.end()
await once(output, 'close')

const { user, system } = process.cpuUsage(cpuBefore)
const report: BareLoopReport = {
  ms: performance.now() - startedAt,
  cpuMicros: user + system,
  peakBytes: process.resourceUsage().maxRSS * 1_024,
}
console.log(JSON.stringify(report))
process.disconnect()
