"""A real nginx as the caching CDN, configured by the page that tells people how."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enigm_testkit.buckets.servers import end, free_port, wait_for

PAGE = Path(__file__).parents[3] / "docs/howto/publish-to-s3.md"
_MAIN = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; user root;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {page}
}}
"""


@contextmanager
def nginx(folder: Path, origin: str) -> Iterator[str]:
    """The URL of a CDN before ``origin``."""
    folder.mkdir()
    port = free_port()
    (page,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for old, new in (
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("http://s3.example.com:8333/updates/phones/", f"{origin}/"),
        ("/var/cache/nginx/updates", str(folder / "cache")),
    ):
        assert old in page
        page = page.replace(old, new)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, page=page))
    with (folder / "log").open("wb") as log:
        command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            wait_for(port, process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            end(process)
