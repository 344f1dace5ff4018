"""Reads a workspace: what is published, what is open, and what the authorities answered."""

from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.manifest import manifest_path, read_manifest
from enigm_tuf.model.public_keys import algorithm_of, spki_of
from enigm_tuf.model.request import read_response
from enigm_tuf.model.root_extension import KeyInfo
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.model.words import words
from enigm_tuf.trust.root_rules import RootView, view_root
from enigm_tuf_repository.lineage import Lineage, root_chain
from enigm_tuf_repository.records import ReleaseRecord, Step, load_record
from enigm_tuf_repository.register import Register, load_register
from enigm_tuf_repository.report.facts import AuditFact, ChannelFact, Facts, KeyFact, RecordFact, StepFact
from enigm_tuf_repository.standing import next_command, open_records, role_standings
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def gather(workspace: Workspace, now: datetime) -> Facts:
    """All that the page shows. The root chain is admitted as a device does; MisuseError before anything is published.

    What is read does not grow with the repository's history: heads, current releases and open records.
    """
    lineage, register = Lineage(workspace.published, []), load_register(workspace)
    root = admit_chain(root_chain(workspace.published), workspace.configuration().environment, now).root.value
    if lineage.head("snapshot") is None:
        raise MisuseError(
            "there is no published snapshot to report on yet", hint="publish the root and a product first"
        )
    view, targets = view_root(root), lineage.value("targets", Targets)
    channels = _channels(lineage, register)
    records = _records(workspace, channels, root)
    return Facts(
        made=now,
        environment=view.extension.environment,
        model=view.extension.authority_model,
        root_version=root.version,
        recovery=view.extension.recovery.threshold,
        keys=_keys(view, targets),
        roles=role_standings(workspace, now),
        channels=channels,
        records=tuple(_record(item) for item in records),
        audit=_audit(workspace, records),
    )


def _keys(view: RootView, targets: Targets | None) -> tuple[KeyFact, ...]:
    """Every key in force: those of root's roles, and the payload keys, whose public halves stand in targets."""
    delegated = targets.delegations.keys if targets and targets.delegations else {}
    public = {**delegated, **view.root.keys}
    return tuple(_key(info, public[keyid]) for keyid, info in sorted(view.extension.keyinfo.items()) if keyid in public)


def _key(info: KeyInfo, key: Key) -> KeyFact:
    return KeyFact(
        keyid=key.keyid,
        spki_sha256=info.spki_sha256,
        words=" ".join(words(info.spki_sha256)[:4]),
        algorithm=algorithm_of(spki_of(key)),
        home=info.home,
        token=f"{info.token.manufacturer} {info.token.model}, serial {info.token.serial}",
        custodian=info.custodian,
    )


def _channels(lineage: Lineage, register: Register) -> tuple[ChannelFact, ...]:
    found = []
    for product, channels in sorted(register.products.items()):
        role = lineage.value(f"{product}.manifest", Targets)
        for channel in channels:
            target = role.targets.get(manifest_path(product, channel)) if role else None
            releases = read_manifest(lineage.target(target), target.path).releases if target else ()
            found.append(ChannelFact(product, channel, releases))
    return tuple(found)


def _records(workspace: Workspace, channels: tuple[ChannelFact, ...], root: Root) -> list[ReleaseRecord]:
    """The root's, those of the current releases that are still here, and all that are open; the newest first."""
    names = {f"{item.product}-{release.version}" for item in channels for release in item.releases}
    names.add(f"root-{root.version}")
    found = {name: load_record(workspace, name) for name in names if (workspace.record(name) / "record.json").is_file()}
    found |= {record.id: record for record in open_records(workspace)}
    return sorted(found.values(), key=lambda record: (record.created, record.id), reverse=True)


def _record(record: ReleaseRecord) -> RecordFact:
    gated = record.evidence(Step.GATED)
    return RecordFact(
        id=record.id,
        action=record.action,
        product=record.product,
        created=record.created,
        steps=tuple(StepFact(str(item.step), item.done) for item in record.steps),
        gates=gated.findings if gated else (),
        next=next_command(record),
    )


def _audit(workspace: Workspace, records: list[ReleaseRecord]) -> tuple[AuditFact, ...]:
    """The highest head of each log in the answers of these records."""
    newest: dict[str, AuditFact] = {}
    for record in records:
        for file in sorted((workspace.record(record.id) / "responses").glob("*.enigmresp")):
            response, _ = read_response(file.read_bytes()[: LIMITS.request_bytes + 1], str(file))
            fact = AuditFact(response.authority, response.audit.entries, response.audit.sha256, record.id)
            if response.authority not in newest or newest[response.authority].entries < fact.entries:
                newest[response.authority] = fact
    return tuple(newest[name] for name in sorted(newest))
