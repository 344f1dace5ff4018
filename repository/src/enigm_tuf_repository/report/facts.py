"""What a report is made from: plain facts, written into the page as JSON, and read from there by the next report."""

from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import ENVIRONMENT, HOME, Environment
from enigm_tuf.model.manifest import RELEASE, Release
from enigm_tuf.model.request import ACTION, AUTHORITY, ROLE, RULE_OUTCOME, Action, Authority, RuleOutcome
from enigm_tuf.model.shapes import (
    BUILD_ID,
    LINE,
    NAME,
    POSITIVE,
    SHA256,
    WORD,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
    Time,
)
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.ports import Home
from enigm_tuf_repository.standing import RoleStanding

MAXIMUM_BYTES = 16_000_000  # of the facts in an earlier page
OWNER = Choice(("release", "manifest", "freshness"))


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A key in force: ``words`` are the first four of its SPKI digest; ``token`` is maker, model and serial."""

    keyid: str
    spki_sha256: str
    words: str
    algorithm: str
    home: Home
    token: str
    custodian: str


@dataclass(frozen=True, slots=True)
class ChannelFact:
    """A channel's releases, newest first, as its published manifest lists them."""

    product: str
    channel: str
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class StepFact:
    step: str
    done: datetime


@dataclass(frozen=True, slots=True)
class RecordFact:
    """A record: its steps with their times, and what each gate said. ``next`` is the command to run, or empty."""

    id: str
    action: Action
    product: str | None
    created: datetime
    steps: tuple[StepFact, ...]
    gates: tuple[RuleOutcome, ...]
    next: str


@dataclass(frozen=True, slots=True)
class AuditFact:
    """The newest head of an authority's log that its answers here tell of, and the record that it came with."""

    authority: Authority
    entries: int
    sha256: str
    record: str


@dataclass(frozen=True, slots=True)
class Facts:
    """``made`` is the time of the report. ``steps`` are the eight, in their order."""

    made: datetime
    environment: Environment
    model: str
    root_version: int
    recovery: int
    keys: tuple[KeyFact, ...]
    roles: tuple[RoleStanding, ...]
    channels: tuple[ChannelFact, ...]
    records: tuple[RecordFact, ...]
    audit: tuple[AuditFact, ...]

    def key(self, keyid: str) -> KeyFact | None:
        return next((item for item in self.keys if item.keyid == keyid), None)


FACTS = Record(
    Facts,
    1,
    made=Time(),
    environment=ENVIRONMENT,
    model=Choice(("manifest-only", "dual")),
    root_version=POSITIVE,
    recovery=Integer(1),
    keys=Sequence(
        Record(
            KeyFact,
            keyid=SHA256,
            spki_sha256=SHA256,
            words=LINE,
            algorithm=WORD,
            home=HOME,
            token=LINE,
            custodian=LINE,
        )
    ),
    roles=Sequence(
        Record(
            RoleStanding,
            role=ROLE,
            owner=OWNER,
            version=POSITIVE,
            expires=Time(),
            life_days=POSITIVE,
            due=Choice(("", "due", "expired")),
            threshold=POSITIVE,
            keyids=Sequence(SHA256),
            signers=Sequence(SHA256),
        )
    ),
    channels=Sequence(Record(ChannelFact, product=NAME, channel=NAME, releases=Sequence(RELEASE))),
    records=Sequence(
        Record(
            RecordFact,
            id=BUILD_ID,
            action=ACTION,
            product=Optional(NAME),
            created=Time(),
            steps=Sequence(Record(StepFact, step=WORD, done=Time())),
            gates=Sequence(RULE_OUTCOME),
            next=LINE,
        )
    ),
    audit=Sequence(
        Record(AuditFact, authority=AUTHORITY, entries=Integer(1), sha256=SHA256, record=BUILD_ID), maximum=2
    ),
)

_START, _END = b'<script type="application/json" id="facts">', b"</script>"


def write_facts(facts: Facts) -> str:
    """JSON that can stand in a page: nothing in it ends the element that holds it."""
    return encode(FACTS.write(facts)).decode().replace("<", "\\u003c")


def read_facts(page: bytes, source: str) -> Facts:
    """The facts of an earlier report; MalformedError for any other file."""
    _, found, rest = page.partition(_START)
    if not found:
        raise MalformedError(source, "", "must be a page that `enigm-repo report` wrote")
    data, _, _ = rest.partition(_END)
    return FACTS.read(parse(data.strip(), source=source, max_bytes=MAXIMUM_BYTES), source)
