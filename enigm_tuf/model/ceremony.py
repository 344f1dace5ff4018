"""A ceremony script: who does what with which token, who watches, and what happens when it fails (GOVERNANCE).

TOML, strict. Arguments of a step are those of the command of enigm-sign that its action names; ``{home}``,
``{policy}``, ``{operators}`` and ``{tokens.NAME}`` stand for what the script binds elsewhere.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.root_extension import POLICY_PIN, PolicyPin
from enigm_tuf.model.shapes import (
    NAME,
    SHA256,
    WORD,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
    Table,
    Text,
)
from enigm_tuf.model.strict_toml import parse_toml

CeremonyType: TypeAlias = Literal[
    "hsm-init",
    "root-keygen",
    "payload-keygen",
    "manifest-key-enrol",
    "routine-sign",
    "root-rotate",
    "revoke",
    "policy-change",
    "operator-change",
    "backup",
    "restore-test",
    "migrate-to-dual",
    "emergency",
    "rehearsal",
]
CEREMONY_TYPES: tuple[CeremonyType, ...] = CeremonyType.__args__  # type: ignore[attr-defined]
BY_HAND = ("do", "compare-bag", "compare-image", "compare-policy", "compare-time")
COMMANDS = (
    "token init",
    "token list",
    "key generate",
    "key enrol",
    "key show",
    "key audit",
    "key destroy",
    "wrapping make",
    "wrapping destroy",
    "key backup",
    "key restore-test",
    "key restore",
    "authority trust",
    "operator propose",
    "operator sign",
    "operator adopt",
    "policy propose",
    "policy approve",
    "policy adopt",
    "inventory propose",
    "inventory sign",
    "inventory adopt",
    "request inspect",
    "approve",
    "sign",
    "audit verify",
)
ACTION = Choice((*BY_HAND, *COMMANDS))
"""The closed set: what people do by hand and say so, and commands of enigm-sign."""


@dataclass(frozen=True, slots=True)
class CeremonyRole:
    """``minimum`` distinct people play it; none of them plays a role in ``excludes``."""

    minimum: int
    excludes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CeremonyToken:
    """A token as its name (``pkcs11:``, ``piv:``), its serial, and the number of the tamper-evident bag it comes in.

    ``serial`` is absent for a token that gets it in this ceremony (``token init``).
    """

    uri: str
    serial: str | None = None
    bag: str | None = None


@dataclass(frozen=True, slots=True)
class OnFailure:
    """``retry``: so many more times, then abort. ``resume``: stop here, go on later. ``abort``: it is over."""

    what: Literal["retry", "resume", "abort"]
    times: int = 0

    def __str__(self) -> str:
        return f"retry {self.times}" if self.what == "retry" else self.what


@dataclass(frozen=True, slots=True)
class Step:
    """``actor`` and ``witness`` are roles. ``bag`` names the token whose bag is compared."""

    id: str
    actor: str
    witness: str
    action: str
    arguments: tuple[str, ...]
    say: str
    expect: str
    on_failure: OnFailure
    bag: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A whole ceremony. ``image_sha256`` is that of the image that the machine runs."""

    type: CeremonyType
    title: str
    authority: Authority
    environment: Environment
    policy: PolicyPin
    roles: dict[str, CeremonyRole]
    steps: tuple[Step, ...]
    tokens: dict[str, CeremonyToken]
    image_sha256: str | None = None


class _OnFailureShape(Text):
    """``retry N``, ``resume`` or ``abort``."""

    def read(self, value: object, source: str, field: str) -> OnFailure:  # type: ignore[override]
        text = Text.read(self, value, source, field)
        return OnFailure("retry", int(text[6:])) if text.startswith("retry") else OnFailure(text)  # type: ignore[arg-type]

    def write(self, value: OnFailure) -> str:  # type: ignore[override]
        return str(value)


SCRIPT = Record(
    Script,
    1,
    type=Choice(CEREMONY_TYPES),
    title=WORD,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    policy=POLICY_PIN,
    roles=Table(
        NAME, Record(CeremonyRole, minimum=Integer(1, 20), excludes=Sequence(NAME, maximum=20, unique=True)), 2
    ),
    steps=Sequence(
        Record(
            Step,
            id=NAME,
            actor=NAME,
            witness=NAME,
            action=ACTION,
            arguments=Sequence(WORD, maximum=100),
            say=WORD,
            expect=WORD,
            on_failure=_OnFailureShape(r"retry [1-9]|resume|abort", "retry N, resume or abort", 7),
            bag=Optional(NAME),
        ),
        minimum=1,
        maximum=500,
    ),
    tokens=Table(NAME, Record(CeremonyToken, uri=WORD, serial=Optional(WORD), bag=Optional(WORD))),
    image_sha256=Optional(SHA256),
)


def read_script(data: bytes, source: str) -> Script:
    """Parse; MalformedError if a step or a token stands twice. ``ceremony check`` proves the rest."""
    script = SCRIPT.read(parse_toml(data, source), source)
    tokens = script.tokens.values()
    for field, values in (
        ("steps.id", [step.id for step in script.steps]),
        ("tokens.uri", [token.uri for token in tokens]),
        ("tokens.serial", [token.serial for token in tokens if token.serial]),
        ("tokens.bag", [token.bag for token in tokens if token.bag]),
    ):
        if len(set(values)) != len(values):
            raise MalformedError(source, field, "nothing stands twice")
    return script
