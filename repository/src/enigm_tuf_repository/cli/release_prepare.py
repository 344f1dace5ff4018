"""enigm-repo release prepare: from build artifacts to two signing requests."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing, record_data, request_lines
from enigm_tuf_repository.release_preparing import prepare_release

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="release.toml; artifacts stand beside it")
    meaning = "a statement or bill of materials of the build, beside `provenance` of release.toml; may stand again"
    parser.add_argument("--evidence", metavar="FILE", action="append", default=[], help=meaning)
    parser.add_argument(
        "--emergency", action="store_true", help="ask for it as an emergency: more approvals, and a ceremony"
    )
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record = prepare_release(
            workspace,
            Path(arguments.config),
            edges.now(),
            [Path(name) for name in arguments.evidence],
            emergency=arguments.emergency,
        )
    seen = [f"  {finding.evidence}" for step in record.steps for finding in step.findings]
    return Outcome(record_data(workspace, record), [*request_lines(workspace, record), *seen])


COMMAND: "Command[Edges]" = Command(
    name="release prepare",
    summary="Take the artifacts of a release, derive its metadata, and write a signing request for each authority.",
    details="Artifacts are copied and hashed in one pass. Run again until an authority has signed.",
    examples="enigm-repo release prepare --config release.toml\n"
    "enigm-repo release prepare --config release.toml --evidence provenance.dsse.json --evidence sbom.spdx.json\n"
    "enigm-repo release prepare --config release.toml --emergency",
    configure=configure,
    run=run,
)
