#!/usr/bin/python3
"""hostile.py PORT LOG - a registry that misbehaves in one way per repository: pull from
127.0.0.1:PORT/MODE/image:1, or another address of this machine. Modes are the functions below. The
log has a line per request: method, path, Range, and whether Authorization came with it. PORT+1 is a
second server, elsewhere as far as credentials are concerned."""

import gzip
import hashlib
import io
import json
import os
import random
import sys
import tarfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, LOG = int(sys.argv[1]), sys.argv[2]
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
lock = threading.Lock()
seen = {}  # (mode, what) -> how often


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def text_of(value):
    return json.dumps(value).encode()


def layer_tar(size):
    """One file of bytes that do not compress, the same in every run."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("data")
        info.size = size
        tar.addfile(info, io.BytesIO(random.Random(1).randbytes(size)))
    return buffer.getvalue()


TAR = layer_tar(3 << 20)
BLOB = gzip.compress(TAR, 1, mtime=0)
CONFIG_TEXT = text_of({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
                       "rootfs": {"type": "layers", "diff_ids": [digest_of(TAR)]}})


def descriptor(data, kind, **more):
    return {"mediaType": kind, "digest": digest_of(data), "size": len(data), **more}


def manifest_of(**changes):
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG_TEXT, CONFIG),
             "layers": [descriptor(BLOB, LAYER)]}
    value.update(changes)
    return text_of(value)


GOOD = manifest_of()
BLOBS = {digest_of(CONFIG_TEXT): CONFIG_TEXT, digest_of(BLOB): BLOB}
PLATFORMS = text_of({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
    descriptor(b"x", MANIFEST, platform={"os": "linux", "architecture": "s390x"}),
    descriptor(GOOD, MANIFEST, platform={"os": "linux", "architecture": "amd64"}),
    descriptor(b"y", MANIFEST, platform={"os": "unknown", "architecture": "unknown"})]})

# What a mode serves for the tag instead of GOOD.
MANIFESTS = {
    "platforms": (PLATFORMS, INDEX),
    "negative-size": (manifest_of(layers=[{**descriptor(BLOB, LAYER), "size": -1}]), MANIFEST),
    "many-layers": (manifest_of(layers=[descriptor(BLOB, LAYER)] * 10000), MANIFEST),
    "path-digest": (manifest_of(layers=[{**descriptor(BLOB, LAYER),
                                         "digest": "sha256:../../../../etc/passwd"}]), MANIFEST),
    "both": (text_of({**json.loads(GOOD), "manifests": []}), MANIFEST),
    "lying-type": (GOOD, INDEX),
    "schema-1": (text_of({"schemaVersion": 1, "name": "x", "tag": "1", "fsLayers": [],
                          "history": []}), "application/vnd.docker.distribution.manifest.v1+json"),
    "not-an-image": (manifest_of(config={**descriptor(b"{}", "application/vnd.example.chart")}),
                     MANIFEST),
    "odd-layer": (manifest_of(layers=[descriptor(BLOB, "application/vnd.example.layer")]), MANIFEST),
    "deep": (b'{"a":' + b"[" * 300000, MANIFEST),
    "diff-ids": (manifest_of(layers=[descriptor(BLOB, LAYER)] * 2), MANIFEST),
    "nul": (GOOD.replace(b"vnd.oci.image.layer", b"vnd\\u0000oci.image.layer"), MANIFEST),
}


# What the token service answers; "": without end.
TOKENS = {"bearer": "t0ken", "token-endless": "", "token-header": "t0ken\\r\\nX-Evil: yes"}

# Layers that this registry does not have, and where else they are said to be.
FOREIGN = {
    "foreign": "http://127.0.0.1:%d/v2/good/image/blobs/",
    "foreign-name": "http://elsewhere.test:%d/v2/good/image/blobs/",
    "foreign-link-local": "http://169.254.169.254:%d/v2/good/image/blobs/",
    "foreign-file": "file:///etc/passwd?%d",
}
for foreign, address in FOREIGN.items():
    MANIFESTS[foreign] = (manifest_of(layers=[{
        **descriptor(BLOB, LAYER.replace("layer.v1", "layer.nondistributable.v1")),
        "urls": [address % (PORT + 1) + digest_of(BLOB)]}]), MANIFEST)


# Configs that are none.
CONFIGS = {
    "config-deep": b'{"a":' * 10000,
    "config-nul": CONFIG_TEXT.replace(b'"sh"', b'"s\\u0000h"'),
    "config-trailing": CONFIG_TEXT + b"{}",
    "config-number": b"5",
    "config-half": CONFIG_TEXT[:-9],
}
for broken, text in CONFIGS.items():
    MANIFESTS[broken] = (manifest_of(config=descriptor(text, CONFIG)), MANIFEST)
    BLOBS[digest_of(text)] = text
MANIFESTS["config-large"] = (manifest_of(config={**descriptor(CONFIG_TEXT, CONFIG),
                                                 "size": 1 << 40}), MANIFEST)


def count(mode, what):
    with lock:
        seen[mode, what] = seen.get((mode, what), 0) + 1
        return seen[mode, what]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    elsewhere = False

    def log_message(self, *args):
        pass

    def note(self):
        with lock, open(LOG, "a", encoding="utf-8") as log:
            log.write("%d %s %s range=%s authorization=%s\n" % (
                PORT + self.elsewhere, self.command, self.path, self.headers.get("Range", "-"),
                self.headers.get("Authorization", "-")))

    def answer(self, status, body=b"", kind="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def chunked(self, status=200):
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def first_byte(self):
        value = self.headers.get("Range", "")
        return int(value[6:].split("-")[0]) if value.startswith("bytes=") else 0

    def cut(self, body, status=200, first=0, end=None):
        """Promises all of the body and hangs up in the middle."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) - first))
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(body) - 1, len(body)))
        self.end_headers()
        self.wfile.write(body[first:end])
        self.wfile.flush()
        self.connection.shutdown(2)
        self.close_connection = True

    def ranged(self, body):
        first = self.first_byte()
        if not first:
            return self.answer(200, body)
        return self.answer(206, body[first:],
                           Content_Range="bytes %d-%d/%d" % (first, len(body) - 1, len(body)))

    def authorized(self, mode):
        """The modes that want a login; True if the request may go on."""
        given = self.headers.get("Authorization")
        if mode == "login-loop":
            self.answer(401, WWW_Authenticate='Bearer realm="http://127.0.0.1:%d/token"' % PORT)
            return False
        if mode == "bad-realm" and not given:
            self.answer(401, WWW_Authenticate='Bearer realm="http://registry.example/token"')
            return False
        if mode == "malformed-challenge" and not given:
            self.answer(401, WWW_Authenticate='Bearer realm="')
            return False
        if mode in ("redirect-login", "redirect-back", "basic") and given != "Basic dXNlcjpzZWNyZXQ=":
            self.answer(401, WWW_Authenticate='Basic realm="x"')
            return False
        if mode in TOKENS and given != "Bearer t0ken":
            self.answer(401, WWW_Authenticate='Bearer realm="http://127.0.0.1:%d/token/%s",'
                        'service="s",scope="repository:%s/image:pull"' % (PORT, mode, mode))
            return False
        return True

    def do_GET(self):
        self.note()
        try:
            self.route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self):
        path = self.path.split("?")[0]
        if path.startswith("/token"):
            return self.token(TOKENS.get(path[len("/token/"):], "t0ken"))
        if path in ("/v2/", "/v2"):
            return self.answer(200, b"{}", "application/json")
        parts = path.split("/")
        if len(parts) != 6:
            return self.answer(404)
        mode, what, name = parts[2], parts[4], parts[5]
        if not self.elsewhere and not self.authorized(mode):
            return None
        if what == "tags":
            return self.tags(mode)
        return self.manifest(mode, name) if what == "manifests" else self.blob(mode, name)

    def tags(self, mode):
        """Two on a page, whatever was asked for."""
        last = urllib.parse.parse_qs(self.path.partition("?")[2]).get("last", [""])[0]
        if mode == "tags-endless":
            page = ["%09d" % (int(last or 0) + i) for i in range(1, 2001)]
        else:
            every = ["../../x"] if mode == "tags-wrong" else ["1", "2", "3", "4", "5"]
            page = [tag for tag in every if tag > last][:2]
        return self.answer(200, json.dumps({"name": "image", "tags": page}).encode(),
                           "application/json")

    do_POST = do_GET

    def token(self, text):
        if text:
            return self.answer(200, b'{"token":"%s"}' % text.encode(), "application/json")
        self.endless(200)

    def endless(self, status):
        self.chunked(status)
        while True:
            self.chunk(b" " * 65536)

    def manifest(self, mode, name):
        if mode == "error-500":
            return self.answer(500, b'{"errors":[{"code":"UNKNOWN","message":"out of order"}]}')
        if mode == "huge-header":
            return self.answer(200, GOOD, MANIFEST, X_Large="a" * 60000, Y_Large="a" * 60000)
        if mode == "many-headers":
            return self.answer(200, GOOD, MANIFEST, **{"X_%d" % i: "a" * 1000 for i in range(90)})
        if mode == "huge-manifest":
            self.endless(200)
        if mode == "endless-error":
            self.endless(404)
        if mode == "endless-hints":
            while True:
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </%s>\r\n\r\n" % (b"a" * 1000))
        if mode == "redirect-loop":
            return self.answer(307, Location=self.path)
        if mode == "redirect-file":
            return self.answer(307, Location="file:///etc/passwd")
        if mode == "wrong-manifest":
            return self.answer(200, GOOD, MANIFEST, Docker_Content_Digest="sha256:" + "0" * 64)
        if mode == "busy" and count(mode, "manifest") == 1:
            return self.answer(429, Retry_After="1")
        body, kind = MANIFESTS.get(mode, (GOOD, MANIFEST))
        if name.startswith("sha256:"):
            body, kind = GOOD, MANIFEST
        if mode in ("absent",):
            return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest '
                               b'unknown"}]}', "application/json")
        return self.answer(200, body, kind, Docker_Content_Digest=digest_of(body))

    def blob(self, mode, name):
        body = BLOBS.get(name)
        if body is None:
            return self.answer(404)
        if len(body) < 10000:
            return self.ranged(body)
        return self.large_blob(mode, body)

    def large_blob(self, mode, body):
        half = len(body) // 2
        if mode in FOREIGN:
            return self.answer(404)
        if mode == "truncate":
            return self.cut(body, end=half)
        if mode == "truncate-chunked":
            self.chunked()
            self.chunk(body[:half])
            return self.chunk(b"")
        if mode in ("resume", "resume-held") and not self.first_byte():
            return self.cut(body, end=half)
        if mode == "resume-held":
            return self.held(body)
        if mode == "restart" and count(mode, "blob") == 1:
            return self.cut(body, end=half)
        if mode == "restart":
            return self.answer(200, body)
        if mode == "flaky" and count(mode, "blob") <= 2:
            return self.answer(503)
        if mode == "killed":
            return self.slowly(body)
        if mode == "endless":
            self.chunked()
            while True:
                self.chunk(body)
        if mode == "slow":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            while True:
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(1)
        if mode == "wrong-digest":
            return self.answer(200, body[:half] + b"x" + body[half + 1:])
        if mode == "error-503":
            return self.answer(503)
        if mode in ("redirect", "redirect-login") and not self.elsewhere:
            return self.answer(307, Location="http://127.0.0.1:%d%s" % (PORT + 1, self.path))
        if mode == "redirect-back":
            # there and home again: a chain must not collect the credentials on its way back
            back = "" if self.elsewhere else "?away"
            if "?home" not in self.path:
                port = PORT if self.elsewhere else PORT + 1
                return self.answer(307, Location="http://127.0.0.1:%d%s%s" % (
                    port, self.path.split("?")[0], back or "?home"))
        return self.ranged(body)

    def held(self, body):
        """The rest of a broken transfer, and not a byte of it before LOG.go is there."""
        first = self.first_byte()
        self.send_response(206)
        self.send_header("Content-Length", str(len(body) - first))
        self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(body) - 1, len(body)))
        self.end_headers()
        while not os.path.exists(LOG + ".go"):
            time.sleep(0.05)
        self.wfile.write(body[first:])

    def slowly(self, body):
        """Takes some seconds, so that there is time to kill the client."""
        first = self.first_byte()
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body) - first))
        if first:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(body) - 1, len(body)))
        self.end_headers()
        for at in range(first, len(body), 65536):
            self.wfile.write(body[at:at + 65536])
            self.wfile.flush()
            if not first:
                time.sleep(0.1)


class Elsewhere(Handler):
    elsewhere = True


def serve(port, handler):
    server = ThreadingHTTPServer(("", port), handler)
    server.daemon_threads = True
    server.serve_forever()


threading.Thread(target=serve, args=(PORT + 1, Elsewhere), daemon=True).start()
serve(PORT, Handler)
