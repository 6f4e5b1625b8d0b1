"""A stream and a job by OpenAI's own package. OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=... python openai_chat.py"""

from openai import OpenAI

client = OpenAI()
messages = [{"role": "user", "content": "Hello"}]

# Fails over until its first content; then it is whole, or ends with one error.
for chunk in client.chat.completions.create(model="gpt-5.4", messages=messages, stream=True):
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

# A job: accepted at once, done by whichever provider can, today or tonight. The key makes it one job, however often it is sent.
job = client.post(
    "/jobs",
    cast_to=object,
    body={"body": {"model": "gpt-5.4", "messages": messages}, "completion_window": "12h"},
    options={"headers": {"Idempotency-Key": "invoice-17"}},
)
while job["status"] in ("queued", "running", "parked"):
    # Answers when the job has ended, or after a minute.
    job = client.get(f"/jobs/{job['id']}", cast_to=object, options={"headers": {"Prefer": "wait=60"}})
print(job["status"], job["response"] or job["error"])
