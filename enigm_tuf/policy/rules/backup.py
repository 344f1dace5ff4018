"""KEY: a payload key of which copies exist signs only while it is known that a copy can be restored."""

from datetime import timedelta
from typing import NoReturn

from enigm_tuf.errors import RefusedError
from enigm_tuf.policy.question import Question, SigningKey
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.rules import Rule


class BackupRule(Rule):
    """Family KEY."""

    KEY_RESTORE_PROOF = (
        "KEY-RESTORE-PROOF",
        "a key of the class wrapped-backup signs only while its last restore proof is younger than the policy says",
    )


def restore_proof(question: Question) -> str:
    """KEY-RESTORE-PROOF: A payload key of the class ``wrapped-backup`` signs only while a copy of it was restored,
    and proved to answer, within the last ``backup.restore_proof_days``; without a ``[backup]`` section no such key
    signs. Before the token is looked at, all that is known is what root says of the payload keys.

    Evidence: when a copy was last restored, or that the key has none.
    """
    if question.signer is not None:
        return _of_signer(question, question.signer)
    copied = _copied_payload_keys(question)
    if copied:
        days = _limit(question, "a payload key").days
        return f"{copied} payload keys may have copies: when one signs, its proof is at most {days} days old"
    return "no key that may sign has copies"


def _of_signer(question: Question, signer: SigningKey) -> str:
    if signer.key_class != "wrapped-backup":
        return "the key never leaves its token"
    subject = f"key {signer.spki_sha256}"
    limit = _limit(question, subject)
    if signer.proved is None or question.now - signer.proved > limit:
        got = signer.proved.isoformat() if signer.proved else "none"
        _refuse(subject, f"a restore proof of at most {limit.days} days", got)
    return f"a copy was restored on {signer.proved.isoformat()}, at most {limit.days} days ago"


def _limit(question: Question, subject: str) -> timedelta:
    if question.policy.backup is None:
        _refuse(subject, "a key without copies: the policy has no [backup]", "wrapped-backup")
    return timedelta(days=question.policy.backup.restore_proof_days)


def _copied_payload_keys(question: Question) -> int:
    root = question.root_to_judge_by()
    if root is None or not any(role.endswith(".payload") for role in question.proposals):
        return 0
    extension = view_root(root).extension
    release = extension.authorities.release
    return sum(extension.keyinfo[keyid].key_class is not None for keyid in (release.payload_keyids if release else ()))


def _refuse(subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(
        BackupRule.KEY_RESTORE_PROOF,
        subject,
        expected=expected,
        got=got,
        hint="enigm-sign key restore-test on a spare token",
    )


RULES = {BackupRule.KEY_RESTORE_PROOF: restore_proof}
