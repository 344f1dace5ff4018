"""KEY: whose signatures are counted together lie on different tokens and with different people."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NoReturn

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import CastApproval, CastWaiver, Question
from enigm_tuf.trust.root_rules import RootView, view_root
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.test_keys import known_test_key


class CustodyRule(Rule):
    """Family KEY."""

    APPROVAL_KNOWN = "APPROVAL-KNOWN", "no approval key of an operator is one whose private half the world knows"
    KEY_CUSTODIAN = "KEY-CUSTODIAN", "who signs is an active operator of this authority, and a custodian"
    CUSTODIAN_APART = "CUSTODIAN-APART", "nobody and no token signs a request that was signed under their own approval"
    KEY_CUSTODY = "KEY-CUSTODY", "keys that a threshold counts together are on different tokens, with different people"


def known(question: Question) -> str:
    """APPROVAL-KNOWN: No approval key is on the list of keys whose private half the world knows, such as the test
    keys of Android and of TUF's own fixtures; as TEST-KEY asks of the keys in root.

    Evidence: the number of keys that were looked up.
    """
    keys = [(operator.id, key) for operator in question.operators.operators for key in operator.approval_keys]
    for operator, key in keys:
        if name := known_test_key(key.record.spki_sha256):
            raise RefusedError(
                CustodyRule.APPROVAL_KNOWN, f"operator {operator}", expected="a key that is theirs alone", got=name
            )
    return f"{len(keys)} approval keys looked up"


def custodian(question: Question) -> str:
    """KEY-CUSTODIAN: The custodian whom the trusted root names for the key that signs stands in the registry of
    operators, is active, and has the role ``custodian``: who has left, or is suspended, signs nothing more from that
    moment, although their token still works and the root that drops their key, or gives it to somebody else, is yet
    to be made. Only of a key that no trusted root knows, the proposed one says whose it is. Before a token is looked
    at, nobody knows who will sign.

    Evidence: the custodian.
    """
    if question.custodian is None:
        return "when it is signed, by an active custodian"
    if question.custodian not in {person.id for person in question.operators.able("custodian")}:
        expected = f"an active custodian of operators version {question.operators.version}"
        subject = f"request {question.request.index.request_id}"
        raise RefusedError(CustodyRule.KEY_CUSTODIAN, subject, expected=expected, got=question.custodian)
    return question.custodian


def custodian_apart(question: Question) -> str:
    """CUSTODIAN-APART: Custodians may sign a request on different days, each under other approvals. Whose approval or
    waiver counted when one of them signed it signs it never, although the approvals of today are by others: what was
    signed would rest on one person twice. The token that an approval or a waiver was made with does not sign the same
    request either, whoever keeps it.

    Evidence: how many people and tokens were compared.
    """
    backers = question.ledger.backers.get(question.request.digest, ())
    for item in backers:
        if item.operator in question.signing or item.device in question.tokens:
            got = f"{item.operator}, whose approval or waiver it was signed under: counted {item.time.isoformat()}"
            _refuse_apart(question, f"{got}, made with token {item.device}")
    cast_now: tuple[CastApproval | CastWaiver, ...] = (*question.approvals, *question.waivers)
    for cast in cast_now:
        if cast.device in question.tokens:
            _refuse_apart(question, f"token {cast.device}, with which {cast.operator} approved or waived")
    return f"{len(backers)} approvals and waivers of earlier signatures, by others"


def custody(question: Question) -> str:
    """KEY-CUSTODY: Keys that one threshold counts together lie on different tokens and with different custodians;
    otherwise two of three is one person with one token. It is asked of the proposed root if there is one, else of
    the trusted one.

    Evidence: the roles whose threshold is above one.
    """
    proposal = question.proposals.get("root")
    root = proposal.signed if proposal and isinstance(proposal.signed, Root) else question.root_to_judge_by()
    if root is None:
        return "no root yet"
    view = view_root(root)
    counted = [(name, keyids) for name, keyids, threshold in _thresholds(view) if threshold > 1]
    for name, keyids in counted:
        _require_apart(view, name, keyids)
    return ", ".join(name for name, _ in counted) or "no threshold above one"


def _refuse_apart(question: Question, got: str) -> NoReturn:
    subject = f"request {question.request.index.request_id}"
    expected = "a custodian, and a token, that neither approved nor waived it"
    raise RefusedError(CustodyRule.CUSTODIAN_APART, subject, expected=expected, got=got)


def _thresholds(view: RootView) -> Iterator[tuple[str, Collection[str], int]]:
    for name, role in view.root.roles.items():
        yield name, role.keyids, role.threshold
    if release := view.extension.authorities.release:
        yield "payload roles", release.payload_keyids, release.payload_threshold


def _require_apart(view: RootView, name: str, keyids: Collection[str]) -> None:
    infos = [view.extension.keyinfo[keyid] for keyid in sorted(keyids)]
    tokens = Counter(f"token {info.token.serial} of {info.token.manufacturer}" for info in infos)
    people = Counter(f"custodian {info.custodian}" for info in infos)
    for what, keys in (tokens + people).items():
        if keys > 1:
            raise RefusedError(
                CustodyRule.KEY_CUSTODY,
                f"{view.subject}, {name}",
                expected="each key on its own token and with its own custodian",
                got=f"{keys} keys with {what}",
            )


RULES = {
    CustodyRule.APPROVAL_KNOWN: known,
    CustodyRule.KEY_CUSTODIAN: custodian,
    CustodyRule.CUSTODIAN_APART: custodian_apart,
    CustodyRule.KEY_CUSTODY: custody,
}
