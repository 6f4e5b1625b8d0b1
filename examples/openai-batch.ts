import { createReadStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import OpenAI from 'openai'

// A batch script written for OpenAI alone: where the API is, and the key, come from OPENAI_BASE_URL and OPENAI_API_KEY.
const client = new OpenAI()

const file = await client.files.create({
  file: createReadStream(process.argv[2] ?? 'requests.jsonl'),
  purpose: 'batch',
})
let batch = await client.batches.create({
  input_file_id: file.id,
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
})
while (['validating', 'in_progress', 'finalizing'].includes(batch.status)) {
  await delay(1_000)
  batch = await client.batches.retrieve(batch.id)
}
console.log(`${batch.id} ${batch.status}:`, batch.request_counts)
for (const error of batch.errors?.data ?? []) console.log(`line ${error.line}: ${error.message}`)

if (batch.output_file_id) {
  const output = await client.files.content(batch.output_file_id)
  for (const line of (await output.text()).trim().split('\n')) {
    const { custom_id, response } = JSON.parse(line)
    console.log(`${custom_id}: ${response.body.choices[0].message.content}`)
  }
}
