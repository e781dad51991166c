"""An image registry that has no image, and wants a login for some: enough to hear what a node says of either."""

import http.server
import sys

# In a repository's name: who asks for it has to log in.
LOGIN = "wants-login"


class Registry(http.server.BaseHTTPRequestHandler):
    """The distribution protocol's answers to whoever asks for a manifest."""

    def do_GET(self) -> None:
        refused = LOGIN in self.path
        code, status = ("UNAUTHORIZED", 401) if refused else ("MANIFEST_UNKNOWN", 404)
        body = f'{{"errors": [{{"code": "{code}", "message": "{code.lower().replace("_", " ")}"}}]}}'.encode()
        self.send_response(status)
        if refused:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Registry).serve_forever()
