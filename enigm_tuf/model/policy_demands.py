"""The sections of a policy beyond quorums and metadata: keys, builds, evidence, time, rate, ceremonies.

Every section stands in every policy. What is not demanded is named as such (``unproved``, ``untested``, a 0), so that
nothing is left out by silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import BASE64
from enigm_tuf.model.request import ACTION
from enigm_tuf.model.shapes import (
    NAME,
    VERSION,
    WORD,
    Choice,
    Integer,
    Record,
    Sequence,
    Shape,
    Table,
    Text,
    Time,
)
from enigm_tuf.model.weekly import MOMENT, ZONE, Weekly, require_weekly
from enigm_tuf.ports import Home
from enigm_tuf.trust.build_evidence import Signer, require_signer_keys

EVERY_PRODUCT = "*"
OPERATORS_ACTION = "operators"
POLICY_ACTION = "policy"
INVENTORY_ACTION = "inventory"
GOVERNANCE_ACTIONS = (OPERATORS_ACTION, POLICY_ACTION)
"""The next registry of operators and the next policy, for which policy-approvers vote."""


@dataclass(frozen=True, slots=True)
class KeyDemands:
    """``piv_firmware``: the lowest of any PIV card whose key counts. ``attested``: homes whose keys are attested."""

    piv_firmware: str
    attested: tuple[Home, ...]


@dataclass(frozen=True, slots=True)
class ProvedProduct:
    """From where a product is built, by whom, reviewed by whose word; ``rebuilds`` builders agree on every byte."""

    product: str
    repository: str
    refs: tuple[str, ...]
    builders: tuple[Signer, ...]
    reviewers: tuple[Signer, ...]
    rebuilds: int


@dataclass(frozen=True, slots=True)
class SourceDemands:
    """``unproved``: products whose builds nobody proves, ``*`` for every product. A product in neither is refused."""

    unproved: tuple[str, ...]
    products: tuple[ProvedProduct, ...]


@dataclass(frozen=True, slots=True)
class TestedProduct:
    """Whose test results count for a product, and how old the newest may be."""

    product: str
    testers: tuple[Signer, ...]
    maximum_age_hours: int


@dataclass(frozen=True, slots=True)
class GateDemands:
    """``untested`` as ``unproved``."""

    untested: tuple[str, ...]
    products: tuple[TestedProduct, ...]


@dataclass(frozen=True, slots=True)
class Freeze:
    """From ``start`` to before ``end`` none of these actions is signed."""

    start: datetime
    end: datetime
    actions: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class WeeklyFreeze(Weekly):
    """The same, every week: ``start`` and ``end`` are weekdays and times of a zone."""

    actions: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class TimeDemands:
    """``cool_down_hours``: for each action, how long its request must have been there before it is signed.

    ``relax_delay_hours``: how long a policy that asks for less must have been proposed before it is adopted.
    """

    relax_delay_hours: int
    cool_down_hours: dict[str, int]
    freezes: tuple[Freeze, ...]
    weekly_freezes: tuple[WeeklyFreeze, ...]


@dataclass(frozen=True, slots=True)
class RateDemands:
    """The most signatures that one session makes, and that the authority makes in any 24 hours."""

    signatures_per_session: int
    signatures_per_day: int


@dataclass(frozen=True, slots=True)
class CeremonyDemands:
    """``open_hours``: for each action, how long ago its ceremony may have opened; 0 where none is demanded.

    For ``policy`` and ``operators`` too: the next policy and the next registry are adopted in a ceremony.
    """

    open_hours: dict[str, int]


_ACTION = Text("|".join(ACTION.words), ", ".join(ACTION.words))
_HELD = (*ACTION.words, INVENTORY_ACTION, *GOVERNANCE_ACTIONS)
_ACTIONS = Sequence(ACTION, minimum=1, maximum=len(ACTION.words), unique=True)
_HOURS = Integer(0, 24 * 90)
_SIGNERS = Sequence(
    Record(Signer, id=WORD, keys=Sequence(BASE64, minimum=1, maximum=20, unique=True)), minimum=1, maximum=50
)
_PRODUCTS = Sequence(Text(r"\*|[a-z0-9][a-z0-9_-]{0,62}", "a product, or *", 63), maximum=1_000, unique=True)

DEMANDS: dict[str, Shape[Any]] = {
    "key": Record(
        KeyDemands,
        piv_firmware=VERSION,
        attested=Sequence(Choice(("piv", "hsm")), maximum=2, unique=True),
    ),
    "source": Record(
        SourceDemands,
        unproved=_PRODUCTS,
        products=Sequence(
            Record(
                ProvedProduct,
                product=NAME,
                repository=WORD,
                refs=Sequence(WORD, minimum=1, maximum=100, unique=True),
                builders=_SIGNERS,
                reviewers=_SIGNERS,
                rebuilds=Integer(1, 20),
            ),
            maximum=1_000,
        ),
    ),
    "gate": Record(
        GateDemands,
        untested=_PRODUCTS,
        products=Sequence(
            Record(TestedProduct, product=NAME, testers=_SIGNERS, maximum_age_hours=Integer(1, 24 * 365)),
            maximum=1_000,
        ),
    ),
    "time": Record(
        TimeDemands,
        relax_delay_hours=_HOURS,
        cool_down_hours=Table(_ACTION, _HOURS, minimum=1),
        freezes=Sequence(
            Record(
                Freeze,
                start=Time(),
                end=Time(),
                actions=_ACTIONS,
                reason=WORD,
            ),
            maximum=100,
        ),
        weekly_freezes=Sequence(
            Record(WeeklyFreeze, zone=ZONE, start=MOMENT, end=MOMENT, actions=_ACTIONS, reason=WORD), maximum=100
        ),
    ),
    "rate": Record(RateDemands, signatures_per_session=Integer(1, 100), signatures_per_day=Integer(1, 10_000)),
    "ceremony": Record(CeremonyDemands, open_hours=Table(Text("|".join(_HELD), ", ".join(_HELD)), _HOURS, minimum=1)),
}
"""The shapes of the sections, by name."""


def require_demands(
    source: SourceDemands, gate: GateDemands, time: TimeDemands, ceremony: CeremonyDemands, file: str
) -> None:
    """MalformedError if a product stands twice or in both lists, a key is none, a freeze is none, a zone is unknown."""
    _require_once([*source.unproved, *(item.product for item in source.products)], "source.products", file)
    _require_once([*gate.untested, *(item.product for item in gate.products)], "gate.products", file)
    for proved in source.products:
        require_signer_keys((*proved.builders, *proved.reviewers), file, f"source.{proved.product}")
        if proved.rebuilds > len(proved.builders):
            field = f"source.{proved.product}.rebuilds"
            raise MalformedError(file, field, f"{proved.rebuilds} asked, there are {len(proved.builders)} builders")
    for tested in gate.products:
        require_signer_keys(tested.testers, file, f"gate.{tested.product}")
    for number, freeze in enumerate(time.freezes):
        if freeze.start >= freeze.end:
            raise MalformedError(file, f"time.freezes[{number}].end", "must lie after start")
    for number, weekly in enumerate(time.weekly_freezes):
        require_weekly(weekly, file, f"time.weekly_freezes[{number}]")
    for field, hours, actions in (
        ("time.cool_down_hours", time.cool_down_hours, ACTION.words),
        ("ceremony.open_hours", ceremony.open_hours, _HELD),
    ):
        for action in actions:
            if action not in hours:
                raise MalformedError(file, f"{field}.{action}", "missing: no rule is left without its numbers")


def _require_once(products: Iterable[str], field: str, file: str) -> None:
    listed = list(products)
    if len(set(listed)) != len(listed):
        raise MalformedError(file, field, "each product once")
    if EVERY_PRODUCT in listed and len(listed) > 1 and field:
        raise MalformedError(file, field, "* is every product: nothing stands beside it")
