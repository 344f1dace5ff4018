"""enigm-repo serve: the published tree over plain HTTP, for trying out."""

import argparse
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError, StateError
from enigm_tuf_repository.cli.options import add_repository_option, workspace_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


class TreeHandler(SimpleHTTPRequestHandler):
    """Files of ``metadata/`` and ``targets/``; no listings, nothing hidden."""

    def send_head(self) -> BytesIO | BinaryIO | None:
        path = Path(self.translate_path(self.path))
        hidden = any(part.startswith(".") for part in path.relative_to(self.directory).parts)
        if hidden or not path.is_file():
            self.send_error(404)
            return None
        return super().send_head()


def make_server(published: Path, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is listening; StateError where the port is taken."""
    try:
        return ThreadingHTTPServer((host, port), partial(TreeHandler, directory=str(published)))
    except (OSError, OverflowError) as error:
        raise StateError(f"{host}:{port}: {getattr(error, 'strerror', None) or error}") from error


def configure(parser: argparse.ArgumentParser) -> None:
    add_repository_option(parser)
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", default=8000, type=int, help="default: 8000")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace = workspace_of(arguments)
    if settings := workspace.store_settings():
        raise MisuseError(f"this repository is published in {settings.url}: devices are served from there")
    with make_server(workspace.published, arguments.host, arguments.port) as server:
        edges.say(f"http://{arguments.host}:{server.server_port}/ serves {workspace.published}, for trying out only:")
        edges.say("plain HTTP from one process. In production, a web server or a CDN serves this directory.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return Outcome({"stopped": True}, ["stopped"])
    return Outcome({"stopped": True}, ["stopped"])


COMMAND: "Command[Edges]" = Command(
    name="serve",
    summary="Serve the published tree over plain HTTP, for trying out only.",
    examples="enigm-repo serve\nenigm-repo serve --host 0.0.0.0 --port 8080",
    configure=configure,
    run=run,
)
