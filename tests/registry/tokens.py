#!/usr/bin/python3
"""tokens.py PORT KEY CERTIFICATE LOG - a token service for docker-registry (auth: token, issuer
"tests", service "registry"): user "user" with the password "secret" may do everything, nobody may
read what begins with public/. The log has a line per token: who, and the scopes."""

import base64
import json
import subprocess
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, KEY, CERTIFICATE, LOG = int(sys.argv[1]), *sys.argv[2:5]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(subject, access):
    der = subprocess.run(["openssl", "x509", "-in", CERTIFICATE, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    now = int(time.time())
    claims = {"iss": "tests", "sub": subject, "aud": "registry", "exp": now + 300,
              "nbf": now - 10, "iat": now, "jti": str(now), "access": access}
    text = encoded(json.dumps(head).encode()) + b"." + encoded(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", KEY], input=text, check=True,
                               capture_output=True).stdout
    return (text + b"." + encoded(signature)).decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        given = self.headers.get("Authorization")
        user = "user" if given == "Basic " + base64.b64encode(b"user:secret").decode() else ""
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        scopes = " ".join(query.get("scope", [])).split()
        with open(LOG, "a", encoding="utf-8") as log:
            log.write("%s: %s\n" % (user or "nobody", " ".join(scopes)))
        if given and not user:
            return self.answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            allowed = actions.split(",") if user else (
                ["pull"] if name.startswith("public/") else [])
            access.append({"type": kind, "name": name, "actions": allowed})
        return self.answer(200, {"token": token(user, access)})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
