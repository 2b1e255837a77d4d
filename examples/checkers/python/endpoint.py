"""A checker that is an HTTP endpoint.

    endpoint.py --listen 127.0.0.1:8080 --allow registry.example/ [--token-file FILE]

In the clear, so on the gate's own machine only; imagereview.py shows TLS.
"""
import argparse
import hmac
import http.server
import json
import pathlib

VERSION = "cleanbill.checker/v1"
LARGEST_QUESTION = 4 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    allow = ()
    token = None
    timeout = 10  # for a client that stalls

    def do_POST(self):
        if self.token is not None:
            given = self.headers.get("Authorization", "").encode()
            if not hmac.compare_digest(given, b"Bearer " + self.token):
                return self.send_error(401)
        try:
            length = int(self.headers["Content-Length"])
            if not 0 < length <= LARGEST_QUESTION:
                return self.send_error(413)
            question = json.loads(self.rfile.read(length))
            if question["apiVersion"] != VERSION or question["kind"] != "Question":
                raise ValueError("another version")
            image, registry = str(question["image"]), str(question["registry"])
        except (ValueError, TypeError, KeyError):
            return self.send_error(400)

        # The rule. The name is complete: registry/repository:tag@sha256:...
        allowed = image.startswith(self.allow)
        reason = "" if allowed else f"{registry} is not a place that images may come from"

        # The image is repeated, so that nobody can take this for the answer about another one.
        answer = {"apiVersion": VERSION, "kind": "Answer", "image": image, "allowed": allowed, "reason": reason}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--listen", default="127.0.0.1:8080", metavar="HOST:PORT")
    arguments.add_argument("--allow", action="append", default=[], metavar="PREFIX")
    arguments.add_argument("--token-file", type=pathlib.Path)
    chosen = arguments.parse_args()
    Handler.allow = tuple(chosen.allow)
    if chosen.token_file:
        Handler.token = chosen.token_file.read_bytes().strip()
    host, port = chosen.listen.rsplit(":", 1)
    http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
