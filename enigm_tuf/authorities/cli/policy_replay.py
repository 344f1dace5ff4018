"""enigm-sign policy replay: what a new policy would have said of everything that was signed."""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import Home, open_home
from enigm_tuf.authorities.replaying import Bench, Replayed, Shown, replay
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import read_request, read_response
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="NEW", help="the policy to try")
    add_home(parser)
    parser.add_argument(
        "--shown",
        required=True,
        metavar="DIR",
        help="where the requests and responses lie, at any depth, such as the repository's records",
    )


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    home, data = open_home(Path(arguments.home)), read_input(Path(arguments.policy), LIMITS.document_bytes)
    policy = read_policy(data, arguments.policy)
    if (policy.authority, policy.environment) != (home.authority, home.environment):
        raise MisuseError(f"{arguments.policy} is no policy of the authority of {home.path}")
    bench = Bench(data, _registries(home))
    found = replay(tuple(read_log(home.log)), bench, _shown(Path(arguments.shown)))
    refused = [item for item in found if item.refusals]
    missing = [item for item in found if item.refusals is None]
    facts = {
        "policy": {"version": policy.version, "sha256": sha256(data)},
        "signed": len(found),
        "refused": len(refused),
        "not_shown": len(missing),
        "requests": [_facts(item) for item in found],
    }
    told = f"{len(found)} requests were signed; this policy would have refused {len(refused)}"
    rest = f"{len(missing)} were not shown, and nothing is known of them" if missing else "all of them were shown"
    return Outcome(facts, [*_table(found), "", f"{told}; {rest}"])


def _shown(folder: Path) -> Shown:
    """Every request and response below a folder; MisuseError if there is no such folder."""
    if not folder.is_dir():
        raise MisuseError(f"{folder}: no such folder")
    requests = {}
    for path in sorted(folder.rglob("*.enigmreq")):
        request = read_request(read_input(path, LIMITS.request_bytes), str(path))
        requests[request.digest] = request
    approvals: dict[str, list[bytes]] = defaultdict(list)
    for path in sorted(folder.rglob("*.enigmresp")):
        response, envelopes = read_response(read_input(path, LIMITS.request_bytes), str(path))
        approvals[response.request_sha256] += envelopes.values()
    return Shown(requests, approvals)


def _registries(home: Home) -> dict[str, bytes]:
    files = (read_input(path, LIMITS.inventory_bytes) for path in sorted((home.path / "operators").glob("*.json")))
    return {sha256(data): data for data in files if b"payloadType" not in data[:200]}


def _facts(item: Replayed) -> dict[str, object]:
    refusals = item.refusals
    return {
        "request_id": item.request_id,
        "request_sha256": item.digest,
        "decided": item.decided.isoformat(),
        "shown": refusals is not None,
        "refused_by": [{"rule": it.rule, "evidence": it.evidence} for it in refusals or ()],
    }


def _table(found: tuple[Replayed, ...]) -> list[str]:
    return table(("REQUEST", "SIGNED", "NOW", "BECAUSE"), (row for item in found for row in _rows(item)))


def _rows(item: Replayed) -> Iterator[tuple[str, str, str, str]]:
    when = item.decided.isoformat()
    if item.refusals is None:
        yield item.request_id, when, "unknown", "its file was not shown"
    elif not item.refusals:
        yield item.request_id, when, "passes", ""
    for refusal in item.refusals or ():
        yield item.request_id, when, refusal.rule, refusal.evidence


COMMAND: "Command[Edges]" = Command(
    name="policy replay",
    summary="Ask a new policy about every request that this authority signed, as of then. Decides nothing.",
    details="Those who approved did so under the policy of then; their approvals count as if it were this one.",
    examples="enigm-sign policy replay next.policy.toml --home release --shown repository/records",
    configure=configure,
    run=run,
)
