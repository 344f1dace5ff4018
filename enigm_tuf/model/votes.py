"""An operator's vote for a document of an authority: a DSSE envelope over an in-toto Statement.

Each kind of document has a predicate type of its own, so that no vote counts for another kind and none is an approval.
"""

from datetime import datetime
from typing import Any

from enigm_tuf.model.approval import APPROVER, Approver
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.policy import FINDING_ACTION, voter_roles
from enigm_tuf.model.policy_demands import INVENTORY_ACTION, OPERATORS_ACTION, POLICY_ACTION
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.root_extension import POLICY_PIN, PolicyPin
from enigm_tuf.model.shapes import POSITIVE, Choice, Record, Time
from enigm_tuf.model.statement import Statement, Subject
from enigm_tuf.model.value import Value


class Matter(Value):
    """What may be voted for. ``action`` names its quorum in the policy, whose voters have one of ``roles``."""

    name: str
    action: str

    @property
    def roles(self) -> tuple[str, ...]:
        return voter_roles(self.action)

    @property
    def predicate_type(self) -> str:
        """``inventory`` has had its own from the start."""
        return f"https://enigm-tuf.dev/{self.name}/v1"


INVENTORY_MATTER = Matter("inventory", INVENTORY_ACTION)
OPERATORS_MATTER = Matter("operators", OPERATORS_ACTION)
POLICY_MATTER = Matter("policy", POLICY_ACTION)
FINDING_MATTER = Matter("finding", FINDING_ACTION)


class DocumentVote(Value):
    """One operator's word for one version: the document's SHA-256, who says so, under which policy, when.

    The version of a finding is the number of the intent's entry in the log.
    """

    document: str
    version: int
    authority: Authority
    environment: Environment
    voter: Approver
    policy: PolicyPin
    created: datetime


_PREDICATE: Record[dict[str, Any]] = Record(
    dict,
    version=POSITIVE,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    voter=APPROVER,
    policy=POLICY_PIN,
    created=Time(),
)


def _statement(matter: Matter) -> Statement:
    return Statement(matter.predicate_type, _PREDICATE, Choice((f"{matter.name}.json",)), maximum=1)


def write_vote(matter: Matter, vote: DocumentVote) -> bytes:
    """The statement's bytes, before DSSE's pre-authentication encoding."""
    return _statement(matter).write((Subject(f"{matter.name}.json", vote.document),), vote)


def read_vote(matter: Matter, data: bytes, source: str) -> DocumentVote:
    """Parse a statement; an approval, or a vote for another kind of document, is refused."""
    (subject,), predicate = _statement(matter).read(data, source)
    return DocumentVote(document=subject.sha256, **predicate)
