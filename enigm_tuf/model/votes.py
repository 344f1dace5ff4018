"""An operator's vote for a document of an authority: a DSSE envelope over an in-toto Statement.

Each kind of document has a predicate type of its own, so that no vote counts for another kind and none is an approval.
"""

from datetime import datetime
from typing import Any

from enigm_tuf.model.approval import STATEMENT_TYPE, Approver
from enigm_tuf.model.keys import ENVIRONMENT, Environment
from enigm_tuf.model.policy import (
    FINDING_ACTION,
    INVENTORY_ACTION,
    voter_roles,
)
from enigm_tuf.model.policy_demands import OPERATORS_ACTION, POLICY_ACTION
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import NAME, POSITIVE, SHA256, WORD, Choice, Record, Sequence, Time
from enigm_tuf.model.strict_json import encode, parse
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
    voter=Record(Approver, operator=NAME, key=SHA256, partition=NAME, device=WORD),
    policy=Record(PolicyPin, version=POSITIVE, sha256=SHA256),
    created=Time(),
)


def _statement(matter: Matter) -> Record[dict[str, Any]]:
    subject: Record[dict[str, Any]] = Record(
        dict, name=Choice((f"{matter.name}.json",)), digest=Record(dict, sha256=SHA256)
    )
    return Record(
        dict,
        _type=Choice((STATEMENT_TYPE,)),
        subject=Sequence(subject, minimum=1, maximum=1),
        predicateType=Choice((matter.predicate_type,)),
        predicate=_PREDICATE,
    )


def write_vote(matter: Matter, vote: DocumentVote) -> bytes:
    """The statement's bytes, before DSSE's pre-authentication encoding."""
    predicate = {name: getattr(vote, name) for name in _PREDICATE.fields}
    subject = {"name": f"{matter.name}.json", "digest": {"sha256": vote.document}}
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": (subject,),
        "predicateType": matter.predicate_type,
        "predicate": predicate,
    }
    return encode(_statement(matter).write(statement))


def read_vote(matter: Matter, data: bytes, source: str) -> DocumentVote:
    """Parse a statement; an approval, or a vote for another kind of document, is refused."""
    statement = _statement(matter).read(parse(data, source=source), source)
    (subject,) = statement["subject"]
    return DocumentVote(document=subject["digest"]["sha256"], **statement["predicate"])
