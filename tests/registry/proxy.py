#!/usr/bin/python3
"""proxy.py PORT LOG - a forward proxy: GET of whole addresses, and CONNECT. Every name is this machine,
so that a name that only the proxy knows shows who has asked it. The log has a line per request:
method, target, and the headers with credentials that came to the proxy. USER:PASSWORD in $LOGIN is
asked for."""

import base64
import http.client
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PORT, LOG = int(sys.argv[1]), sys.argv[2]
LOGIN = os.environ.get("LOGIN")
lock = threading.Lock()


def pump(source, to):
    try:
        while chunk := source.recv(65536):
            to.sendall(chunk)
    except OSError:
        pass
    for end in (source, to):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def admitted(self):
        given = self.headers.get("Proxy-Authorization", "-")
        with lock, open(LOG, "a", encoding="utf-8") as log:
            log.write("%s %s proxy-authorization=%s authorization=%s\n" % (
                self.command, self.path, given, self.headers.get("Authorization", "-")))
        if not LOGIN or given == "Basic " + base64.b64encode(LOGIN.encode()).decode():
            return True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_CONNECT(self):
        if not self.admitted():
            return
        port = int(self.path.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(there, self.connection), daemon=True)
            back.start()
            pump(self.connection, there)
            back.join()
        self.close_connection = True

    def do_GET(self):
        if not self.admitted():
            return
        url = urlsplit(self.path)
        there = http.client.HTTPConnection("127.0.0.1", url.port or 80)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        there.request("GET", url.path + ("?" + url.query if url.query else ""), headers=headers)
        answer = there.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", PORT), Handler).serve_forever()
