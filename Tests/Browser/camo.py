"""An image proxy that behaves as GitHub's does (https://github.com/atmos/camo), for the images of a README."""

import http.client
import http.server
import threading
import time
import urllib.parse

# The proxy gives up then, in seconds.
LIMIT = 4


class ImageProxy:
    """Fetches images for readers, so that their servers learn nothing of them.

    It sends neither cookies nor the fields of the reader, shows only what is 200 and an image, waits four
    seconds, and keeps what `Cache-Control` lets it keep.
    """

    def __init__(self) -> None:
        # What it keeps, by address: until when, the type and the content.
        self.kept: dict[str, tuple[float, str, bytes]] = {}
        # The header fields of each request that it has sent.
        self.sent: list[dict[str, str]] = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                address = urllib.parse.unquote(self.path.removeprefix("/"))
                status, kind, content = proxy.fetch(address)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                # Browsers ask the proxy again each time; GitHub hands the field of the image on.
                self.send_header("Cache-Control", "no-cache")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, image: str) -> str:
        """Where a README finds an image."""
        return f"http://camo.example:{self.port}/{urllib.parse.quote(image, safe='')}"

    def fetch(self, address: str) -> tuple[int, str, bytes]:
        if (kept := self.kept.get(address)) and kept[0] > time.monotonic():
            return 200, kept[1], kept[2]
        parts = urllib.parse.urlsplit(address)
        fields = {
            "Host": parts.netloc, "User-Agent": "github-camo (876de43e)",
            "Accept": "image/png,image/svg+xml,image/*"}  # fmt: skip
        self.sent.append(fields)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=LIMIT)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=fields)
            response = connection.getresponse()
            content = response.read()
        except OSError:
            return 504, "text/plain", b"timed out"
        finally:
            connection.close()
        kind = response.headers.get("Content-Type", "")
        if response.status != 200 or not kind.startswith("image/"):
            return 404, "text/plain", b"not an image"
        age = self.age(response.headers.get("Cache-Control", ""))
        if age > 0:
            self.kept[address] = (time.monotonic() + age, kind, content)
        return 200, kind, content

    @staticmethod
    def age(control: str) -> float:
        """How long `Cache-Control` lets a cache keep an answer, in seconds. Without it, for a year."""
        directives = {part.strip().lower() for part in control.split(",")}
        if directives & {"no-cache", "no-store"}:
            return 0
        for directive in directives:
            if directive.startswith("max-age="):
                return float(directive.removeprefix("max-age="))
        return 31_536_000

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
