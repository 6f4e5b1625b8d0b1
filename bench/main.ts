import { batches } from './batches.ts'
import { browser } from './browser.ts'
import { coldStart } from './cold-start.ts'
import { gatewayRace } from './gateway-race.ts'
import { handoverCost } from './handover-cost.ts'
import { health } from './health.ts'
import { inflightMemory } from './inflight-memory.ts'
import { limits } from './limits.ts'
import { lists } from './lists.ts'
import { loneLatency } from './lone-latency.ts'
import { longest } from './longest.ts'
import { metricsCost } from './metrics-cost.ts'
import { mixed } from './mixed.ts'
import { pages } from './pages.ts'
import { redisCost } from './redis-cost.ts'
import { scaling } from './scaling.ts'
import { slow } from './slow.ts'
import { streams } from './streams.ts'
import { submitSpeed } from './submit-speed.ts'
import { sectionsAsked } from './support/options.ts'
import { tenantShares } from './tenants.ts'
import { tls } from './tls.ts'
import { untuned } from './untuned.ts'
import { waiting } from './waiting.ts'
import { webhookSpeed } from './webhook-speed.ts'
import { workerSpeed } from './worker-speed.ts'

// `node bench/main.ts [section …]`; all sections when none is named. It prints figures and judges none of them.
const sections: Record<string, { title: string; run: () => Promise<void> }> = {
  worker: { title: 'A worker against a bare BullMQ worker', run: workerSpeed },
  scaling: { title: 'Worker processes on one queue, upstream answers after 50 ms', run: scaling },
  handover: { title: 'Jobs handed over to their second target', run: handoverCost },
  submit: { title: 'POST /v1/jobs against a bare route with one queue.add', run: submitSpeed },
  webhooks: { title: 'Webhooks against a bare BullMQ worker that signs and posts', run: webhookSpeed },
  health: { title: 'A provider that fails, four worker processes and a second provider', run: health },
  limits: { title: 'Eight worker processes at a provider that takes 600 calls a minute', run: limits },
  redis: { title: 'What Redis does for a job, from submission to final result', run: redisCost },
  waiting: { title: 'Jobs that wait: their memory in Redis, and the speed beside them', run: waiting },
  inflight: { title: 'A worker with many calls in flight, answers of 4 kB', run: inflightMemory },
  batch: { title: 'Batches of requests of 2.7 kB', run: batches },
  slow: { title: 'Batches of slow calls, by a bare loop of fetch and by Baton', run: slow },
  untuned: {
    title: 'Three providers of whose bounds the config says nothing, answers after 8 s',
    run: untuned,
  },
  mixed: { title: 'Interactive calls beside a batch that could fill everything', run: mixed },
  tenants: { title: 'Tenants that share a provider', run: tenantShares },
  tls: { title: 'Calls over TLS, by HTTP/1.1 and by HTTP/2', run: tls },
  gateway: { title: "Through Portkey's gateway and through Baton", run: gatewayRace },
  streams: { title: 'Streams, by Baton, the gateway and directly', run: streams },
  metrics: { title: 'What counting and measuring costs a job, and a scrape', run: metricsCost },
  pages: { title: "Open pages of operators, in the API's process", run: pages },
  browser: { title: 'The page in a browser, beside 100,000 jobs and 100 batches', run: browser },
  lists: { title: 'A page of 50 jobs among 100,000, by filter', run: lists },
  longest: { title: 'The commands of Redis that take longest, by what is done', run: longest },
  'cold-start': { title: 'From nothing to the first answer of /readyz', run: coldStart },
  lone: { title: 'A lone synchronous call against one made directly', run: loneLatency },
}

const unknown = sectionsAsked.filter(name => !Object.hasOwn(sections, name))
if (unknown.length > 0) {
  console.error(`No section ${unknown.join(', ')}; there are: ${Object.keys(sections).join(', ')}`)
  process.exit(2)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

for (const name of sectionsAsked.length > 0 ? sectionsAsked : Object.keys(sections)) {
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
