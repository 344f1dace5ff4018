"""The payloads of one approved request, signed one by one with one key: intent, signature, check, result."""

from dataclasses import dataclass, field

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.doubt import require_nothing_in_doubt
from enigm_tuf.authorities.history import History
from enigm_tuf.authorities.role_keys import KeyOfRole, payloads_of
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.signed_requests import Payload
from enigm_tuf.authorities.signing_log import intent, intent_closed, refusals_logged, signed_payload
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.request import RoleSignature, decision_digest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.engine import ApprovedRequest, approved_metadata
from enigm_tuf.policy.rules.request import RequestRule
from enigm_tuf.ports import Clock, TokenKey, TokenSession
from enigm_tuf.trust.threshold import signers


@dataclass(slots=True)
class PayloadSigner:
    """What it takes: a request that passed every rule, a session, and the key as each role lists it.

    ``inventory`` is the digest of that which the token was compared with. ``history`` is that of the log before this
    request; a payload that this key has signed, then or since, is not signed again: there is the same signature.
    ``entries`` are the numbers of the log's entries that record what was signed since.
    """

    approved: ApprovedRequest
    session: TokenSession
    key: TokenKey
    roles: dict[str, KeyOfRole]
    inventory: str
    history: History
    log: MerkleLog
    clock: Clock
    entries: list[int] = field(init=False, default_factory=list)
    _made: dict[str, RoleSignature] = field(init=False)
    _open: AuditEntry | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._made = self.history.signed_by(self.approved.question.request.digest, self.digest)

    @property
    def digest(self) -> str:
        """The public key's SPKI digest."""
        return sha256(self.key.spki)

    @property
    def custodian(self) -> str:
        """Who keeps the key, as root says."""
        return next(iter(self.roles.values())).info.custodian

    @property
    def decision(self) -> str:
        """The digest of what is signed under."""
        question, decision = self.approved.question, self.approved.decision
        return decision_digest(question.now, question.policy_pin, self.inventory, decision.outcomes, decision.envelopes)

    def sign_all(self) -> tuple[RoleSignature, ...]:
        """Every payload that this key had not signed before. Earlier signatures were made under an earlier decision."""
        request, payloads = self.approved.question.request, payloads_of(self.approved.question)
        before = self.history.signed_by(request.digest, self.digest)
        return tuple(self.sign(payload) for payload in payloads if payload.role not in before)

    def sign(self, payload: Payload) -> RoleSignature:
        """Intent first: if the machine dies while the token signs, the log says that a signature may be out there.

        RefusedError REQUEST-TIME once the request has expired; SIGN-INTENT-OPEN once an error of the token left a
        signature in doubt.
        """
        if payload.role in self._made:
            return self._made[payload.role]
        request, payloads = self.approved.question.request, payloads_of(self.approved.question)
        require_nothing_in_doubt(self._open)
        with refusals_logged(self.log, request):
            self._require_in_time()
            message = approved_metadata(self.approved, payload.role)
        self._open = self.log.append(EntryType.SIGN_INTENT, intent(request, payload, payloads, self.digest))
        with intent_closed(self.log, request, payload.role, self._close):
            signature = self.session.sign(self.key.label, message).hex()
            self._require_valid(payload, signature, message.data)
        keyid = self.roles[payload.role].keyid
        made = {"keyid": keyid, "signature": signature, "decision_sha256": self.decision}
        performed = self.log.append(EntryType.SIGN_PERFORMED, signed_payload(request, payload, self.digest) | made)
        self.entries.append(performed.sequence)
        self._close()
        self._made[payload.role] = RoleSignature(payload.role, payload.version, keyid, signature)
        return self._made[payload.role]

    def _close(self) -> None:
        """The intent has its result in the log."""
        self._open = None

    def _require_in_time(self) -> None:
        """The policy was asked when the session began; request and waivers may have run out since."""
        index = self.approved.question.request.index
        ends = min([index.expires, *(item.waiver.expires for item in self.approved.decision.waivers)])
        now = self.clock.now().replace(microsecond=0)
        if now >= ends:
            raise RefusedError(
                RequestRule.REQUEST_TIME,
                f"request {index.request_id}",
                expected=f"a time before {ends.isoformat()}, when it or a waiver of it ends",
                got=now.isoformat(),
                hint="it ran out while the session was open: make a new request",
            )

    def _require_valid(self, payload: Payload, signature: str, data: bytes) -> None:
        """As a TUF client will look at it: the role's key, the metadata's bytes."""
        keyid = self.roles[payload.role].keyid
        keys = {keyid: tuf_key(self.key.spki)}
        if sha256(data) != payload.sha256 or not signers(keys, [keyid], {keyid: signature}, data):
            raise RefusedError(
                SigningRule.KEY_OF_ROLE,
                f"{payload.role} version {payload.version}",
                expected=f"a signature that verifies with key {keyid}",
                got="one that does not",
            )
