import { parseArgs } from 'node:util'
import { createSimProvider } from './sim-provider.ts'

// `node src/sim/main.ts --port 0 --format openai --latency 20` prints {"url":…} once it serves; SIGTERM ends it.
const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    /** `openai` or `anthropic`; both when absent. */
    format: { type: 'string' },
    /** Milliseconds before each answer. */
    latency: { type: 'string', default: '0' },
    'answer-bytes': { type: 'string', default: '0' },
    /** Keeps every call, for GET /__sim/journal. */
    journal: { type: 'boolean', default: false },
  },
})

const { format } = values
if (format !== undefined && format !== 'openai' && format !== 'anthropic') {
  console.error('--format is openai or anthropic')
  process.exit(2)
}

const provider = createSimProvider({
  format,
  behaviour: { latency: { kind: 'fixed', ms: Number(values.latency) } },
  answerBytes: Number(values['answer-bytes']),
  journal: values.journal,
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void provider.stop())
}

const { url } = await provider.start({ host: values.host, port: Number(values.port) })
console.log(JSON.stringify({ url }))
