"""A job, a stream and a batch with nothing but Python. BATON_URL=http://127.0.0.1:8000 BATON_API_KEY=... python plain_http.py"""

import json
import os
import time
import urllib.request
import uuid

url = os.environ.get("BATON_URL", "http://127.0.0.1:8000")
key = {"Authorization": f"Bearer {os.environ.get('BATON_API_KEY', '')}"}
request = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "Hello"}]}


def call(method, path, body=None, **headers):
    """The answer, still to be read. Raises urllib.error.HTTPError, whose read() has the code and the message."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    asked = urllib.request.Request(url + path, data=body, method=method, headers={**key, **headers})
    return urllib.request.urlopen(asked, timeout=90)


def read(method, path, body=None, **headers):
    with call(method, path, body, **headers) as answer:
        return json.load(answer)


# A job. The key makes it one, however often it is sent.
job = read("POST", "/v1/jobs", {"body": request}, Idempotency_Key=str(uuid.uuid4()))
while job["status"] in ("queued", "running", "parked"):
    job = read("GET", f"/v1/jobs/{job['id']}", Prefer="wait=60")
print("job", job["status"], job["response"]["body"]["choices"][0]["message"]["content"])

# A stream. What is cut goes on behind the last event: send its id as Last-Event-ID.
job = read("POST", "/v1/jobs", {"body": {**request, "stream": True}})
text, last = "", {}
while True:
    with call("GET", f"/v1/jobs/{job['id']}/stream", **last) as events:
        if events.status == 204:
            break
        for line in events:
            field, _, value = line.decode().rstrip("\r\n").partition(": ")
            if field == "id":
                last = {"Last_Event_ID": value}
            elif field == "data" and value != "[DONE]":
                for choice in json.loads(value)["choices"]:
                    text += choice["delta"].get("content") or ""
print("stream", text)

# A batch.
lines = [
    {"custom_id": f"line-{i}", "method": "POST", "url": "/v1/chat/completions", "body": request}
    for i in range(3)
]
boundary = uuid.uuid4().hex
form = (
    f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="requests.jsonl"\r\n\r\n'
    + "".join(json.dumps(line) + "\n" for line in lines)
    + f"\r\n--{boundary}--\r\n"
)
file = read("POST", "/v1/files", form.encode(), Content_Type=f"multipart/form-data; boundary={boundary}")
order = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
batch = read("POST", "/v1/batches", order, Idempotency_Key=str(uuid.uuid4()))
while batch["status"] in ("validating", "in_progress", "finalizing"):
    time.sleep(0.5)
    batch = read("GET", f"/v1/batches/{batch['id']}")
print("batch", batch["status"])
with call("GET", f"/v1/files/{batch['output_file_id']}/content") as output:
    for line in output:
        result = json.loads(line)
        print(result["custom_id"], result["response"]["status_code"])
