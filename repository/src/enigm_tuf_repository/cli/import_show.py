"""enigm-repo import show: what a foreign repository holds, and what can become of it here."""

import argparse
from typing import TYPE_CHECKING, Any

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.model.shapes import Time
from enigm_tuf_repository.cli.import_options import add_source, foreign_of
from enigm_tuf_repository.importing.foreign import ForeignTree, spki_of_all

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

SHOWN = 50  # targets, for people; --json has all
BECOMES = (
    ("its root, keys, thresholds", "nothing: `init` makes a root of ours, with keys that our authorities enrolled"),
    ("delegations", "two roles for each product: `product add`"),
    ("target files", "payloads of a release: `import take`, then `release prepare`; both authorities sign them"),
    ("custom fields of targets", "nothing: what devices read is made from release.toml and from the artifacts"),
    ("snapshot, timestamp", "nothing: ours are made anew"),
    ("devices that trust its root", "stay with it, until their last update there brings our client and our root"),
)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    facts = _facts(foreign_of(arguments, edges))
    return Outcome(facts, _lines(facts))


def _facts(tree: ForeignTree) -> dict[str, Any]:
    keys, users = tree.keys(), tree.users()
    digests = spki_of_all(keys)
    return {
        "source": tree.source.name,
        "root": {"version": tree.root.version, "sha256": tree.trusted.root.sha256},
        "consistent_snapshot": tree.root.consistent_snapshot,
        "roles": [_role(tree, name) for name in ("root", "timestamp", "snapshot", *tree.roles)],
        "keys": [
            {
                "keyid": keyid,
                "scheme": key.scheme,
                "spki_sha256": digests[keyid],
                "roles": users.get(keyid, []),
            }
            for keyid, key in sorted(keys.items())
        ],
        "targets": [
            {"path": target.path, "role": role, "length": target.length, "hashes": dict(target.hashes)}
            for role, target in tree.targets()
        ],
    }


def _role(tree: ForeignTree, name: str) -> dict[str, Any]:
    verified = tree.roles.get(name) or getattr(tree.trusted, name)
    threshold, keyids = tree.quorum(name)
    listed = tree.roles[name].value.targets if name in tree.roles else {}
    return {
        "role": name,
        "delegated_by": tree.delegated_by.get(name, "root"),
        "version": verified.value.version,
        "expires": Time().write(verified.value.expires),
        "threshold": threshold,
        "keys": len(keyids),
        "signed_by": len(verified.signers),
        "targets": len(listed),
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    roles = [
        (
            item["role"],
            item["delegated_by"],
            str(item["version"]),
            item["expires"],
            f"{item['threshold']} of {item['keys']}",
            str(item["targets"]),
        )
        for item in facts["roles"]
    ]
    keys = [
        (item["keyid"][:16], item["scheme"], item["spki_sha256"][:16], ", ".join(item["roles"]) or "-")
        for item in facts["keys"]
    ]
    targets = [(f"{item['length']:,}", item["role"], item["path"]) for item in facts["targets"][:SHOWN]]
    more = len(facts["targets"]) - len(targets)
    shown = [
        f"{facts['source']}: verified from root version {facts['root']['version']}, SHA-256 {facts['root']['sha256']}",
        "",
        *table(("ROLE", "DELEGATED BY", "VERSION", "EXPIRES", "THRESHOLD", "TARGETS"), roles),
        "",
        *table(("KEYID", "SCHEME", "SPKI SHA-256", "SIGNS"), keys),
        "",
        *(table(("BYTES", "ROLE", "TARGET"), targets) if targets else ["no targets"]),
        *([f"and {more:,} more: --json has all of them"] if more else []),
        "",
        *table(("WHAT IT HAS", "BECOMES HERE"), BECOMES),
    ]
    return [_printable(line) for line in shown]


def _printable(line: str) -> str:
    """No name from there can move the cursor or forge a line."""
    return "".join(sign if sign.isprintable() else f"<U+{ord(sign):04X}>" for sign in line)


COMMAND: "Command[Edges]" = Command(
    name="import show",
    summary="Verify a repository that other tools made, from its own root, and show what of it can become ours.",
    details="Every newer root, timestamp, snapshot and every role, by the TUF specification. Writes nothing, and no\n"
    "target file is read.",
    examples="enigm-repo import show https://old.example.com --root old-root.json\n"
    "enigm-repo import show /srv/old --root old-root.json --metadata repository --targets repository/targets --json",
    configure=add_source,
    run=run,
)
