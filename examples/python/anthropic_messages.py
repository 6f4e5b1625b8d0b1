"""A stream and a message batch by Anthropic's own package. ANTHROPIC_BASE_URL=http://127.0.0.1:8000 ANTHROPIC_API_KEY=... python anthropic_messages.py"""

import time

import anthropic

client = anthropic.Anthropic()
params = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Hello"}],
}

with client.messages.stream(**params) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()

batch = client.messages.batches.create(
    requests=[{"custom_id": f"line-{i}", "params": params} for i in range(3)]
)
while batch.processing_status != "ended":
    time.sleep(2)
    batch = client.messages.batches.retrieve(batch.id)
for result in client.messages.batches.results(batch.id):
    answer = result.result
    print(result.custom_id, answer.message.content if answer.type == "succeeded" else answer.type)
