"""Receives webhooks by the package of Standard Webhooks. pip install fastapi uvicorn standardwebhooks; uvicorn webhook_receiver_fastapi:app"""

import os

from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook, WebhookVerificationError

app = FastAPI()
webhook = Webhook(os.environ["BATON_WEBHOOK_SECRET"])
seen = set()


@app.post("/hooks", status_code=204)
async def receive(request: Request):
    try:
        event = webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(401)
    if request.headers["webhook-id"] not in seen:
        print("verified", event["type"], "of", event["data"]["id"])
        seen.add(request.headers["webhook-id"])
