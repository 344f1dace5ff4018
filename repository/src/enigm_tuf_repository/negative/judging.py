"""What two dozen devices are told of the same files is worked out once: reading them, and the rules on delegations.

Signatures, hashes, versions and expiry are asked by each device anew; so is everything of a file that differs in one
byte. Only what passed is kept: a refusal is never answered from here.
"""

from dataclasses import dataclass, field

from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.verified import Verified


@dataclass(frozen=True, slots=True)
class Seen:
    """By the devices of one scene. ``judged`` names what rules passed on which file, under which root."""

    judged: set[tuple[object, ...]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class JudgedOnce:
    """Implements ``enigm_tuf.trust.admission.Admission``: what ``behind`` says, asked once for the same documents.

    Its verdict depends on nothing but the bytes of root and of the role's file, the role's name, and who signed it.
    """

    behind: Admission
    seen: Seen

    @property
    def identity(self) -> str:
        return self.behind.identity

    def root(self, previous: Verified[Root] | None, new: Verified[Root]) -> None:
        self.behind.root(previous, new)

    def targets(
        self, root: Verified[Root], delegator: Verified[Root] | Verified[Targets], role: str, new: Verified[Targets]
    ) -> None:
        question = (self.identity, root.sha256, delegator.sha256, role, new.sha256, new.signers)
        if question not in self.seen.judged:
            self.behind.targets(root, delegator, role, new)
            self.seen.judged.add(question)
