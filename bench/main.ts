import { batches } from './batches.ts'
import { inflightMemory } from './inflight-memory.ts'
import { loneLatency } from './lone-latency.ts'
import { redisScripts } from './redis-scripts.ts'
import { submitSpeed } from './submit-speed.ts'
import { waitingMemory } from './waiting-memory.ts'
import { workerSpeed } from './worker-speed.ts'

// `node bench/main.ts [section …]`; all sections when none is named. It prints figures and judges none of them.
const sections: Record<string, { title: string; run: () => Promise<void> }> = {
  worker: { title: 'A worker against a bare BullMQ worker', run: workerSpeed },
  submit: { title: 'POST /v1/jobs against a bare route with one queue.add', run: submitSpeed },
  scripts: { title: 'Redis script calls, from submission to final result', run: redisScripts },
  waiting: { title: 'Redis memory of a waiting job', run: waitingMemory },
  inflight: { title: 'A worker with 500 calls in flight, answers of 4 kB', run: inflightMemory },
  batch: { title: 'Batches of requests of 2.7 kB', run: batches },
  lone: { title: 'A lone synchronous call against one made directly', run: loneLatency },
}

const asked = process.argv.slice(2)
const unknown = asked.filter(name => !Object.hasOwn(sections, name))
if (unknown.length > 0) {
  console.error(`No section ${unknown.join(', ')}; there are: ${Object.keys(sections).join(', ')}`)
  process.exit(2)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

for (const name of asked.length > 0 ? asked : Object.keys(sections)) {
  const { title, run } = sections[name]!
  console.log(`${name}: ${title}`)
  try {
    await run()
  } catch (error) {
    console.error(`${name} failed:`, error)
    process.exitCode = 1
  }
  console.log()
}
