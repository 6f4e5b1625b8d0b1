"""A job by `requests` alone. BATON_URL=http://127.0.0.1:8000 BATON_API_KEY=... python requests_job.py"""

import os
import uuid

import requests

url = os.environ.get("BATON_URL", "http://127.0.0.1:8000")
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ.get('BATON_API_KEY', '')}"

accepted = session.post(
    f"{url}/v1/jobs",
    json={"body": {"model": "gpt-5.4", "messages": [{"role": "user", "content": "Hello"}]}},
    headers={"Idempotency-Key": str(uuid.uuid4())},
    timeout=30,
)
accepted.raise_for_status()
job = accepted.json()
while job["status"] in ("queued", "running", "parked"):
    job = session.get(f"{url}/v1/jobs/{job['id']}", headers={"Prefer": "wait=60"}, timeout=90).json()
print(job["status"], job["response"] or job["error"])
