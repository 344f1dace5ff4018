"""A ``securesystemslib.signer.Signer`` for every kind of token, so that python-tuf's ``Metadata.sign`` works with it.

Only inside ``signing.approved_signer``: it signs the payloads of an approved request, each with its intent in the audit
log, and no other byte. Needs the extra ``tuf``.
"""

from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey

from enigm_tuf.authorities.payload_signing import PayloadSigner
from enigm_tuf.authorities.role_keys import payloads_of
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.strict_json import sha256


class ApprovedSigner(Signer):
    """Signs what was approved, and refuses everything else (SIGN-APPROVED)."""

    def __init__(self, signer: PayloadSigner) -> None:
        self._signer = signer
        key = tuf_key(signer.key.spki)
        keyid = next(iter(signer.roles.values())).keyid  # as root lists it
        self._public = SSlibKey(keyid, key.keytype, key.scheme, {"public": key.public})

    @property
    def public_key(self) -> Key:
        return self._public

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> "ApprovedSigner":
        """There is no way from a URI to a signature. MisuseError."""
        del public_key, secrets_handler
        raise MisuseError(
            f"{priv_key_uri.partition(':')[0]}: a token signs nothing without an approved request",
            hint="enigm_tuf.authorities.signing.approved_signer",
        )

    def sign(self, payload: bytes) -> Signature:
        """RefusedError SIGN-APPROVED unless ``payload`` is, byte for byte, what the request proposes for a role."""
        question = self._signer.approved.question
        for item in payloads_of(question):
            if item.sha256 == sha256(payload):
                made = self._signer.sign(item)
                return Signature(made.keyid, made.signature)
        raise RefusedError(
            SigningRule.SIGN_APPROVED,
            f"request {question.request.index.request_id}",
            expected=f"the bytes of one of {', '.join(sorted(question.proposals))}",
            got=f"{len(payload)} bytes with SHA-256 {sha256(payload)}",
        )
