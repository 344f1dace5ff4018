"""What ``repository.toml`` demands of the builds of a product."""

from dataclasses import dataclass
from datetime import timedelta

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import BASE64
from enigm_tuf.model.shapes import Integer, Record, Sequence, Text
from enigm_tuf.trust.build_evidence import Signer, SourceDemand, require_signer_keys


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """``source`` is the repository and ``refs`` what of it may be released; ``rebuilds`` how many builders must agree.

    Builders, reviewers and testers are known by their ``id`` and keys (base64 DER SubjectPublicKeyInfo).
    """

    source: str
    refs: tuple[str, ...]
    builders: tuple[Signer, ...]
    rebuilds: int
    reviewers: tuple[Signer, ...]
    testers: tuple[Signer, ...]
    test_hours: int

    @property
    def demand(self) -> SourceDemand:
        """What may be built, and who must have seen it."""
        return SourceDemand(self.source, self.refs, self.reviewers)

    @property
    def oldest_test(self) -> timedelta:
        return timedelta(hours=self.test_hours)


_LINE = Text(r"[^\s\x00-\x1f\x7f]+", "a text without blanks", 1_000)
_SIGNERS = Sequence(
    Record(Signer, id=_LINE, keys=Sequence(BASE64, minimum=1, maximum=10, unique=True)), minimum=1, maximum=100
)
EVIDENCE_RULES = Record(
    EvidenceRules,
    source=Text(r"git\+[a-z]+://[^\s@]+", "a Git repository such as git+https://host/path", 1_000),
    refs=Sequence(Text(r"refs/[^\s\x00-\x1f\x7f]+", "a ref such as refs/heads/main", 200), minimum=1, maximum=100),
    builders=_SIGNERS,
    rebuilds=Integer(2, 10),
    reviewers=_SIGNERS,
    testers=_SIGNERS,
    test_hours=Integer(1, 24 * 365),
)


def require_possible(rules: EvidenceRules, source: str, field: str) -> None:
    """MalformedError where a key is none, stands twice in one list, or there are fewer builders than must agree."""
    for name in ("builders", "reviewers", "testers"):
        signers: tuple[Signer, ...] = getattr(rules, name)
        require_signer_keys(signers, source, f"{field}.{name}")
        if len({signer.id for signer in signers}) != len(signers):
            raise MalformedError(source, f"{field}.{name}", "each id once")
    if len(rules.builders) < rules.rebuilds:
        told = f"{rules.rebuilds} must agree, and there are {len(rules.builders)} builders"
        raise MalformedError(source, f"{field}.rebuilds", told)
