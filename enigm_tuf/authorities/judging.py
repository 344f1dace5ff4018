"""What the policy says about a request, with all that this authority knows."""

from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.authorities.history import History
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.kept_documents import OPERATORS
from enigm_tuf.authorities.trust_root import Chain, admit_context
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.policy.custodians import signed_with
from enigm_tuf.policy.engine import Decision, evaluate
from enigm_tuf.policy.question import Question, SigningKey
from enigm_tuf.policy.reading import ask


@dataclass(frozen=True, slots=True)
class Brought:
    """Beside the request: approvals, waivers, and for a root the other authority's responses to its request for it."""

    envelopes: tuple[bytes, ...] = ()
    consents: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A request before this authority, with what people bring along.

    ``chain`` tells which root is trusted after what the request brings.
    """

    home: Home
    request: SigningRequest
    brought: Brought
    history: History
    chain: Chain
    operators_data: bytes

    def judge(self, now: datetime, signer: SigningKey | None = None) -> tuple[Question, Decision]:
        """Every rule's outcome; ``signer``: the key that is about to sign, if that is known yet.

        Who signed this request before counts among its custodians.
        """
        question = ask(
            self.request,
            policy_data=self.home.policy_data,
            operators_data=self.operators_data,
            root=self.chain.state.root if self.chain.state else None,
            ledger=self.history.ledger(),
            envelopes=self.brought.envelopes,
            consents=self.brought.consents,
            custodian=None,
            now=now,
            signer=signer,
        )
        before = self.history.requests.get(self.request.digest)
        others = before.signed_with if before else set()
        question = signed_with(question, signer.spki_sha256 if signer else None, others)
        return question, evaluate(question)


def open_case(home: Home, request: SigningRequest, brought: Brought, history: History, now: datetime) -> Case:
    """With what the log says, read the roots and the registry of operators.

    RefusedError if the request's root chain is not the one trusted here; OPERATORS-HEAD.
    """
    operators_data = OPERATORS.in_force(home, history.operators)
    chain = admit_context(home, request, now)
    under = home.under(chain.state.root.value if chain.state else None)
    return Case(under, request, brought, history, chain, operators_data)
