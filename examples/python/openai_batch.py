"""A batch by OpenAI's own package. OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=... python openai_batch.py requests.jsonl"""

import json
import sys
import time

from openai import OpenAI

client = OpenAI()

with open(sys.argv[1] if len(sys.argv) > 1 else "requests.jsonl", "rb") as requests:
    file = client.files.create(file=requests, purpose="batch")
batch = client.batches.create(
    input_file_id=file.id,
    endpoint="/v1/chat/completions",
    completion_window="24h",
    # Fields of Baton's own go here.
    extra_body={"max_cost_usd": 5},
)
while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
    time.sleep(2)
    batch = client.batches.retrieve(batch.id)
print(batch.id, batch.status, batch.request_counts)

for file_id in (batch.output_file_id, batch.error_file_id):
    if file_id is None:
        continue
    for text in client.files.content(file_id).iter_lines():
        line = json.loads(text)
        print(line["custom_id"], line["response"] or line["error"])
