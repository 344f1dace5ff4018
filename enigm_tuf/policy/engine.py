"""The engine: every rule answers, none is skipped, and only a request that all of them pass can be signed.

What a rule of ``WAIVABLE_FAMILIES`` refuses may be waived, by a quorum of its own and for this one request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from enigm_tuf.errors import EnigmTufError, MisuseError, RefusedError
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.policy.question import CastApproval, CastWaiver, Question
from enigm_tuf.policy.rules import (
    artifact,
    backup,
    custody,
    hardware,
    meta,
    moment,
    quorum,
    request,
    retirement,
    rollout,
    root,
    source,
    transition,
    waiver,
)
from enigm_tuf.trust._seal import SEAL, Seal, require_seal
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.signable import Signable

EVIDENCE_BYTES = 5_000  # UTF-8, all evidence of a decision: with every byte escaped it fits into an entry of the log
CATALOGUE: tuple[tuple[Rule, Callable[[Question], str]], ...] = (
    *request.RULES.items(),
    *quorum.RULES.items(),
    *custody.RULES.items(),
    *backup.RULES.items(),
    *hardware.RULES.items(),
    *moment.RULES.items(),
    *meta.RULES.items(),
    *root.RULES.items(),
    *transition.RULES.items(),
    *artifact.RULES.items(),
    *source.RULES.items(),
    *rollout.RULES.items(),
    *retirement.RULES.items(),
    *waiver.RULES.items(),
)
"""The closed catalogue. A rule is a pure function of the question: it returns its evidence or raises."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What every rule said, in the catalogue's order, and the approvals and waivers that counted.

    ``outcomes`` have the very words that the audit log gets, and the response: a digest is over them.
    """

    outcomes: tuple[RuleOutcome, ...]
    counted: tuple[CastApproval, ...]
    waivers: tuple[CastWaiver, ...]

    @property
    def passed(self) -> bool:
        """Every rule passed, or is waived."""
        return bool(self.outcomes) and all(outcome.allowed for outcome in self.outcomes)

    @property
    def envelopes(self) -> tuple[str, ...]:
        """The digests of all that counted, sorted."""
        return tuple(sorted({item.envelope_sha256 for items in (self.counted, self.waivers) for item in items}))


@dataclass(frozen=True, slots=True)
class ApprovedRequest:
    """A request that passed every rule. Only ``admit`` makes one, and only it can become bytes for a token."""

    question: Question
    decision: Decision
    _seal: Seal = field(repr=False, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        require_seal(self._seal, "an ApprovedRequest")


def evaluate(question: Question) -> Decision:
    """Ask every rule; then see whose refusal is waived."""
    waived = waiver.granted(question)
    asked = (_ask(rule, answer, question) for rule, answer in CATALOGUE)
    outcomes = tuple(_waived(outcome, waived.get(outcome.rule, ())) for outcome in asked)
    return Decision(
        _shortened(outcomes), quorum.counted(question), tuple(item for items in waived.values() for item in items)
    )


def admit(question: Question) -> ApprovedRequest:
    """RefusedError of the first rule that says no."""
    decision = evaluate(question)
    for outcome in decision.outcomes:
        if not outcome.allowed:
            raise RefusedError(
                outcome.rule, f"request {question.request.index.request_id}", expected="to pass", got=outcome.evidence
            )
    return ApprovedRequest(question, decision, _seal=SEAL)


def approved_metadata(approved: ApprovedRequest, role: str) -> Signable:
    """The bytes of one role of an approved request: the only way for metadata to reach a token."""
    proposal = approved.question.proposals.get(role)
    if proposal is None:
        raise MisuseError(f"the request has no payload for role {role}")
    return Signable(f"{role} version {proposal.version}", proposal.data, _seal=SEAL)


def _ask(rule: Rule, answer: Callable[[Question], str], question: Question) -> RuleOutcome:
    try:
        return RuleOutcome(str(rule), passed=True, evidence=_one_line(answer(question)))
    except EnigmTufError as error:
        return RuleOutcome(str(rule), passed=False, evidence=_one_line(str(error)))


def _waived(outcome: RuleOutcome, waivers: tuple[CastWaiver, ...]) -> RuleOutcome:
    """A refusal that people let pass stays a refusal: ``passed`` is false, and ``waived`` true."""
    if outcome.passed or not waivers:
        return outcome
    who = ", ".join(f"{item.operator} ({item.waiver.reason})" for item in waivers)
    until = min(item.waiver.expires for item in waivers)
    return replace(outcome, waived=True, evidence=_one_line(f"until {until.isoformat()} by {who}: {outcome.evidence}"))


def _shortened(outcomes: tuple[RuleOutcome, ...]) -> tuple[RuleOutcome, ...]:
    """All texts together fit into one entry of the audit log: the longest are cut to one length, the others are whole.

    So log, response and the digest beside each signature have the same words.
    """
    left = EVIDENCE_BYTES
    for place, size in enumerate(sizes := sorted(len(item.evidence.encode()) for item in outcomes)):
        share = left // (len(sizes) - place)
        if size > share:
            return tuple(replace(item, evidence=_first_bytes(item.evidence, share)) for item in outcomes)
        left -= size
    return outcomes


def _first_bytes(text: str, size: int) -> str:
    """Up to ``size`` bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore")


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:4_000]
