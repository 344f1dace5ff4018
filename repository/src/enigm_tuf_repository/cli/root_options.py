"""What the commands that prepare a root say of it."""

from enigm_tuf.commandline import Outcome
from enigm_tuf_repository.cli.options import record_data, request_lines
from enigm_tuf_repository.root_preparing import PreparedRoot
from enigm_tuf_repository.workspace import Workspace


def root_outcome(workspace: Workspace, prepared: PreparedRoot) -> Outcome:
    """What changes, who must sign in which order, what follows."""
    record = prepared.record
    changes = [f"  {change}" for change in prepared.changes]
    signers = [f"  {item.threshold} of the {item.name} ({item.authority} authority)" for item in prepared.quorums]
    order = [entry.authority for entry in record.requests]
    if len(order) > 1:
        signers.append(f"  the {order[0]} authority first: the {order[1]} authority signs with --consent RESPONSE")
    follows = [f"then signed anew, see root follow: {', '.join(record.follows)}"] if record.follows else []
    data = record_data(workspace, record) | {
        "changes": [{"kind": str(change.kind), "text": change.text} for change in prepared.changes],
        "quorums": [
            {"name": item.name, "authority": item.authority, "threshold": item.threshold} for item in prepared.quorums
        ],
        "follows": list(record.follows),
    }
    requests = request_lines(workspace, record)
    version = record.roles["root"]
    return Outcome(data, [f"root version {version} changes", *changes, "it needs", *signers, *follows, *requests])
