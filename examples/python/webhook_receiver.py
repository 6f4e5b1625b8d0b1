"""Receives webhooks with nothing but Python. BATON_WEBHOOK_SECRET=whsec_... python webhook_receiver.py 9000"""
import base64, hashlib, hmac, http.server, json, os, sys, time

secret = base64.b64decode(os.environ["BATON_WEBHOOK_SECRET"].removeprefix("whsec_"))
seen = set()  # Deliveries are at least once. A real receiver keeps these ids where it keeps what the event changes.

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        id, sent = self.headers["webhook-id"] or "", self.headers["webhook-timestamp"] or "0"
        right = hmac.new(secret, f"{id}.{sent}.".encode() + body, hashlib.sha256).digest()
        given = [text.removeprefix("v1,").encode() for text in (self.headers["webhook-signature"] or "").split()]
        is_right = any(hmac.compare_digest(base64.b64encode(right), text) for text in given)
        is_ours = is_right and abs(time.time() - int(sent)) < 300
        if is_ours and id not in seen:
            event = json.loads(body)
            print("verified", event["type"], "of", event["data"]["id"], flush=True)
            seen.add(id)
        self.send_response(204 if is_ours else 401)
        self.end_headers()

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
print(f"waiting for webhooks on http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
