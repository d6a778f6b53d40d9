#!/usr/bin/python3
"""uploads.py PORT LOG - a registry to push to, in memory, that misbehaves in one way per repository:
push to 127.0.0.1:PORT/MODE/image:1. Every failure happens to the first request of its kind alone:

resume       breaks off in the middle of a blob, and knows how far it got
forget       the same, and knows nothing any more
lost-answer  takes the blob, and breaks off instead of saying so
middle       breaks off in the middle of a blob's second piece, and knows how far it got
partial      takes half of a blob's first piece, and says so
pieces       wants pieces of 100000 bytes at least
busy         has too much to do: 429 to the POST, 503 to the PATCH and to the manifest
elsewhere    has uploads at another address, PORT+1
evil         wants uploads at http://169.254.169.254/
denied       403, always, with the words a registry has for it
invalid      does not like the manifest, and says so
endless      500, always

The log has a line per request: port, method, path, Content-Range and Authorization."""

import hashlib
import json
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, LOG = int(sys.argv[1]), sys.argv[2]
lock = threading.Lock()
seen, blobs, manifests, uploads = {}, {}, {}, {}


def first(mode, what):
    with lock:
        seen[mode, what] = seen.get((mode, what), 0) + 1
        return seen[mode, what] == 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    elsewhere = False

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message, **headers):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(),
                    **headers)

    def hang_up(self):
        self.connection.shutdown(2)
        self.close_connection = True

    def location(self, session):
        if self.mode == "evil":
            return "http://169.254.169.254/v2/evil/image/blobs/uploads/" + session
        if self.mode == "elsewhere":
            return "http://127.0.0.1:%d/v2/elsewhere/image/blobs/uploads/%s" % (PORT + 1, session)
        return "/v2/%s/image/blobs/uploads/%s?state=1" % (self.mode, session)

    def all(self):
        with lock, open(LOG, "a", encoding="utf-8") as log:
            log.write("%d %s %s content-range=%s authorization=%s\n" % (
                PORT + self.elsewhere, self.command, self.path,
                self.headers.get("Content-Range", "-"), self.headers.get("Authorization", "-")))
        path, _, query = self.path.partition("?")
        parts = path.split("/")
        if path == "/v2/":
            return self.answer(200)
        self.mode = parts[2]
        if self.mode == "denied":
            return self.error(403, "DENIED", "requested access to the resource is denied")
        if self.mode == "endless":
            return self.error(500, "UNKNOWN", "out of order")
        if parts[4] == "manifests":
            return self.manifest(parts[5])
        if parts[5] == "uploads":
            return self.upload(parts[6], query)
        if parts[5] in blobs:
            return self.answer(200, blobs[parts[5]])
        return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = all

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def manifest(self, target):
        if self.command != "PUT":
            if (self.mode, target) not in manifests:
                return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return self.answer(200, manifests[self.mode, target],
                               Content_Type="application/vnd.oci.image.manifest.v1+json")
        text = self.body()
        if self.mode == "busy" and first("busy", "manifest"):
            return self.error(503, "UNAVAILABLE", "soon")
        if self.mode == "invalid":
            return self.error(400, "MANIFEST_INVALID", "this manifest is not to my taste")
        for layer in json.loads(text)["layers"]:
            if layer["digest"] not in blobs:
                return self.error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown")
        manifests[self.mode, target] = text
        return self.answer(201)

    def upload(self, session, query):
        if self.command == "POST":
            if self.mode == "busy" and first("busy", "post"):
                return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="0")
            session = str(uuid.uuid4())
            uploads[session] = b""
            least = {"OCI_Chunk_Min_Length": "100000"} if self.mode == "pieces" else {}
            return self.answer(202, Location=self.location(session), Range="0-0", **least)
        if session not in uploads:
            return self.error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if self.command == "DELETE":
            del uploads[session]
            return self.answer(204)
        if self.command == "PATCH":
            return self.patch(session)
        if self.command == "PUT":
            return self.put(session, query)
        return self.answer(204, Location=self.location(session),
                           Range="0-%d" % max(len(uploads[session]) - 1, 0))

    def patch(self, session):
        length = int(self.headers["Content-Length"])
        begin = int(self.headers.get("Content-Range", "0-").split("-")[0])
        if self.mode == "busy" and first("busy", "patch"):
            self.body()
            return self.error(503, "UNAVAILABLE", "soon")
        if begin != len(uploads[session]):
            self.body()
            return self.error(416, "RANGE_INVALID", "not where we are")
        if self.mode in ("resume", "forget") and length > 100000 and first(self.mode, "patch"):
            uploads[session] += self.rfile.read(length // 2)
            if self.mode == "forget":
                del uploads[session]
            return self.hang_up()
        if self.mode == "middle" and begin and first(self.mode, "patch"):
            uploads[session] += self.rfile.read(length // 2)
            return self.hang_up()
        body = self.body()
        if self.mode == "partial" and not begin and length > 1000:
            body = body[:length // 2]
        uploads[session] += body
        return self.answer(202, Location=self.location(session),
                           Range="0-%d" % (len(uploads[session]) - 1))

    def put(self, session, query):
        data = uploads.pop(session) + self.body()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if "digest=" + digest not in query.replace("%3A", ":"):
            return self.error(400, "DIGEST_INVALID", "provided digest did not match")
        blobs[digest] = data
        if self.mode == "lost-answer" and first("lost-answer", "put"):
            return self.hang_up()
        return self.answer(201)


class Elsewhere(Handler):
    elsewhere = True


other = ThreadingHTTPServer(("127.0.0.1", PORT + 1), Elsewhere)
threading.Thread(target=other.serve_forever, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
