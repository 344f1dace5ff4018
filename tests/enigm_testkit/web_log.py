"""A real nginx that serves a tree, and says what it was asked for."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from enigm_testkit.buckets.servers import end, free_port, wait_for

_MAIN = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; user root;
events {{}}
http {{
    log_format sizes '$status $body_bytes_sent $request_uri';
    access_log {folder}/access.log sizes;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; root {tree}; }}
}}
"""


@dataclass(frozen=True)
class Served:
    """``url`` is the tree's; ``log`` is complete once the server has ended."""

    url: str
    log: Path

    def by_role(self) -> tuple[Counter[str], Counter[str]]:
        """Requests, and bytes of the bodies, by what was fetched: as ``enigm-repo traffic`` calls it."""
        requests: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for line in self.log.read_text().splitlines():
            status, size, path = line.split()
            role = _role_of(path, status)
            requests[role] += 1
            sizes[role] += int(size)
        return requests, sizes


def _role_of(path: str, status: str) -> str:
    tree, _, name = path.removeprefix("/").partition("/")
    if tree == "targets":
        return (
            "manifest" if name.startswith("manifests/") else "chunk digests" if name.endswith(".chunks") else "payload"
        )
    role = name.removesuffix(".json").rpartition(".")[2]
    if role == "root":
        return "root (not found)" if status == "404" else "root"
    return f"{role} role" if role in {"manifest", "payload"} else role


@contextmanager
def served(folder: Path, tree: Path) -> Iterator[Served]:
    """The log has everything after the block."""
    folder.mkdir()
    port = free_port()
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, port=port, tree=tree))
    with (folder / "log").open("wb") as log:
        command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            wait_for(port, process, folder / "log")
            yield Served(f"http://127.0.0.1:{port}", folder / "access.log")
        finally:
            end(process)
