"""A checker that answers ImageReview, over TLS, to clients with a certificate of one authority.

    imagereview.py --listen 0.0.0.0:8443 --cert server.crt --key server.key \
        --client-ca clients.crt --allow registry.example/

The API server itself could ask it too.
"""
import argparse
import http.server
import json
import ssl

VERSION = "imagepolicy.k8s.io/v1alpha1"
LARGEST_QUESTION = 4 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    allow = ()
    timeout = 10  # for a client that stalls, in the handshake too

    def do_POST(self):
        try:
            length = int(self.headers["Content-Length"])
            if not 0 < length <= LARGEST_QUESTION:
                return self.send_error(413)
            review = json.loads(self.rfile.read(length))
            if review["apiVersion"] != VERSION or review["kind"] != "ImageReview":
                raise ValueError("another version")
            images = [str(container["image"]) for container in review["spec"]["containers"]]
        except (ValueError, TypeError, KeyError):
            return self.send_error(400)

        # The rule, for each image of the pod.
        refused = [image for image in images if not image.startswith(self.allow)]

        status = {"allowed": not refused}
        if refused:
            status["reason"] = "images may not come from there: " + ", ".join(refused)
        body = json.dumps({"apiVersion": VERSION, "kind": "ImageReview", "status": status}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    context = None

    def get_request(self):
        # The handshake is left to the connection's own thread.
        stream, address = super().get_request()
        return self.context.wrap_socket(stream, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        print(f"{client_address[0]}: the connection failed", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--listen", default="127.0.0.1:8443", metavar="HOST:PORT")
    arguments.add_argument("--cert", required=True)
    arguments.add_argument("--key", required=True)
    arguments.add_argument("--client-ca", required=True)
    arguments.add_argument("--allow", action="append", default=[], metavar="PREFIX")
    chosen = arguments.parse_args()
    Handler.allow = tuple(chosen.allow)
    Server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Server.context.minimum_version = ssl.TLSVersion.TLSv1_2
    Server.context.load_cert_chain(chosen.cert, chosen.key)
    Server.context.load_verify_locations(chosen.client_ca)
    Server.context.verify_mode = ssl.CERT_REQUIRED
    host, port = chosen.listen.rsplit(":", 1)
    Server((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
