"""META: the metadata is this authority's to sign, lives neither too short nor too long, and weakens nothing."""

from datetime import datetime, timedelta

from enigm_tuf.errors import refuse
from enigm_tuf.model.issued import issued_at
from enigm_tuf.model.policy import OWN_KINDS
from enigm_tuf.model.request import Authority
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.tuf import Root, Snapshot, Targets
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.authority_admission import judge_root_definition, judge_targets_definition
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.root_quorums import root_owner
from enigm_tuf.trust.root_rules import model_ratchet, view_root
from enigm_tuf.trust.rules import Rule


class MetaRule(Rule):
    """Family META."""

    META_ROLES = "META-ROLES", "exactly the roles that this authority signs for this action, of one product"
    META_EXPIRY = "META-EXPIRY", "each role expires within the policy's bounds, and none is issued in the future"
    META_THRESHOLD = "META-THRESHOLD", "no threshold is below the policy's"
    META_AUTHORITY = "META-AUTHORITY", "what is defined breaks none of the authorities' rules"
    POLICY_PINNED = "POLICY-PINNED", "root pins this very policy"
    POLICY_APPROVED = "POLICY-APPROVED", "a root that pins another policy of this authority pins one that it adopted"


def roles(question: Question) -> str:
    """META-ROLES: A request holds exactly the roles that this authority signs for this action, all of one product:
    no more, so that nothing travels along unseen, and no fewer, so that nothing stays half done. After a root,
    ``roles`` are those of any product.

    Evidence: the names of the roles.
    """
    index, product = question.request.index, question.product
    if index.action == "roles":
        return _roles_signed_anew(question)
    manifest, payload = manifest_role(product), payload_role(product)
    expected: dict[tuple[str, str], set[str]] = {
        ("release", "root"): {"root"},
        ("manifest", "root"): {"root"},
        ("release", "recovery"): {"root"},
        ("manifest", "recovery"): {"root"},
        ("release", "product"): {payload},
        ("manifest", "product"): {"targets", manifest, "snapshot"},
        ("manifest", "retire"): {"targets", "snapshot"},
        ("release", "release"): {payload},
        ("release", "emergency"): {payload},
        ("manifest", "release"): {manifest, "snapshot"},
        ("manifest", "emergency"): {manifest, "snapshot"},
        ("manifest", "rollout"): {manifest, "snapshot"},
    }
    wanted = expected.get((index.authority, index.action), set())
    if not wanted or set(question.proposals) != wanted:
        names = ", ".join(sorted(wanted)) or f"nothing that {index.authority} signs for {index.action}"
        refuse(MetaRule.META_ROLES, "payloads", names, ", ".join(sorted(question.proposals)))
    return ", ".join(sorted(wanted))


def _roles_signed_anew(question: Question) -> str:
    """After a root, roles of any product: payload roles for the one, snapshot with all that moves for the other."""
    names, own = set(question.proposals), question.request.index.authority
    kinds = {kind_of(role) for role in names}
    wanted = {"payload"} if own == "release" else {"snapshot", "targets", "manifest"}
    if not kinds or not kinds <= wanted or (own == "manifest" and "snapshot" not in names):
        refuse(MetaRule.META_ROLES, "payloads", f"roles of kind {', '.join(sorted(wanted))}", ", ".join(sorted(names)))
    return ", ".join(sorted(names))


def expiry(question: Question) -> str:
    """META-EXPIRY: Each role expires between ``expiry.<kind>.minimum`` and ``expiry.<kind>.maximum`` days from now:
    late enough that devices do not run dry, early enough that a frozen device notices. A snapshot is not issued in
    the future, because devices never go back behind that time.

    Evidence: for each role, when it expires.
    """
    for role, proposal in question.proposals.items():
        days = question.policy.expiry.get(kind_of(role))
        if days is None:
            refuse(MetaRule.META_EXPIRY, role, f"bounds for {kind_of(role)} in the policy", "none")
        earliest = question.now + timedelta(days=days.minimum)
        latest = question.now + timedelta(days=days.maximum)
        if not earliest <= proposal.signed.expires <= latest:
            window = f"{earliest.isoformat()} .. {latest.isoformat()}"
            refuse(MetaRule.META_EXPIRY, role, window, proposal.signed.expires.isoformat())
        _require_not_of_tomorrow(role, proposal.signed, question.now)
    return "; ".join(f"{role} {item.signed.expires.isoformat()}" for role, item in sorted(question.proposals.items()))


def _require_not_of_tomorrow(role: str, signed: Root | Snapshot | Targets, now: datetime) -> None:
    """Devices take the time that a snapshot was issued at for a time that has been, and never go back behind it."""
    if isinstance(signed, Snapshot):
        issued = issued_at(signed, role)
        if issued is not None and issued > now:
            refuse(MetaRule.META_EXPIRY, f"{role}, issued", f"not after {now.isoformat()}", issued.isoformat())


def thresholds(question: Question) -> str:
    """META-THRESHOLD: No threshold that is defined here, in root or in a delegation, is lower than
    ``thresholds.<kind>``, and for each kind of role that the authority signs the policy names one.

    Evidence: each role with its threshold.
    """
    defined: dict[str, tuple[str, int]] = {}
    for role, proposal in question.proposals.items():
        if isinstance(proposal.signed, Root):
            defined |= _root_thresholds(proposal.signed)
        elif isinstance(proposal.signed, Targets) and role == "targets" and proposal.signed.delegations:
            delegated = (proposal.signed.delegations.roles or {}).items()
            defined |= {name: (kind_of(name), item.threshold) for name, item in delegated}
    for name, (kind, threshold) in defined.items():
        lowest = question.policy.thresholds.get(kind)
        if lowest is None and kind in _own_kinds(question):
            refuse(MetaRule.META_THRESHOLD, name, f"a threshold for {kind} in the policy", "none")
        if lowest is not None and threshold < lowest:
            refuse(MetaRule.META_THRESHOLD, name, f"at least {lowest}", str(threshold))
    return "; ".join(f"{name} {threshold}" for name, (_, threshold) in sorted(defined.items())) or _NOT_HERE


def _own_kinds(question: Question) -> set[str]:
    """The kinds of role that an authority signs: its policy must say something about each."""
    root, authority = question.root_to_judge_by(), question.policy.authority
    owns_root = root is not None and root_owner(view_root(root)) == authority
    return {*OWN_KINDS[authority]} | ({"root"} if owns_root else set())


def authority(question: Question) -> str:
    """META-AUTHORITY: What is defined breaks none of the rules that devices hold the two authorities to, such as
    AUTHORITY-DISJOINT, PAYLOAD-PINNED and MODEL-RATCHET: they are asked before anybody signs, with the same code.

    Evidence: the rules that passed.
    """
    root = question.root_to_judge_by()
    if root is None:
        refuse(MetaRule.META_AUTHORITY, "root", "a trusted root", "none")
    passed: list[str] = []
    for role, proposal in question.proposals.items():
        if isinstance(proposal.signed, Root):
            _require_keys(proposal.signed)
            passed += [item.rule for item in judge_root_definition(proposal.signed, question.policy.environment)]
            if question.root:
                passed.append(model_ratchet(view_root(question.root.value), view_root(proposal.signed)).rule)
            elif proposal.version != 1:
                refuse(MetaRule.META_AUTHORITY, f"root version {proposal.version}", "a trusted root before it", "none")
        elif isinstance(proposal.signed, Targets):
            passed += [item.rule for item in judge_targets_definition(root, role, proposal.signed)]
    return ", ".join(sorted(set(passed))) or _NOT_HERE


def _require_keys(root: Root) -> None:
    """Clients tolerate keys of types that they do not know; who signs a root knows every key in it."""
    for name, role in root.roles.items():
        if missing := sorted(set(role.keyids) - set(root.keys)):
            refuse(MetaRule.META_AUTHORITY, f"root version {root.version}, {name}", "its keys", f"no key {missing[0]}")


def policy_pinned(question: Question) -> str:
    """POLICY-PINNED: The trusted root pins this policy by version and digest, so that an edited file authorises
    nothing. The root that makes an authority pins the policy under which that authority signs it.

    Evidence: the versions of root and policy.
    """
    root = question.root_to_judge_by()
    if root is None:
        refuse(MetaRule.POLICY_PINNED, "root", "a trusted root", "none")
    proposal = question.proposals.get("root")
    pinned = _pin_of(root, question.policy.authority)
    if pinned is None and proposal and isinstance(proposal.signed, Root):
        root = proposal.signed
        pinned = _pin_of(root, question.policy.authority)
    if pinned != question.policy_pin:
        refuse(MetaRule.POLICY_PINNED, f"root version {root.version}", str(pinned), str(question.policy_pin))
    return f"root version {root.version} pins policy version {question.policy_pin.version}"


def policy_approved(question: Question) -> str:
    """POLICY-APPROVED: A root that exchanges the policy of this authority pins one that the authority has adopted:
    voted for by the quorum that the change demands, and after its delay. Who holds root cannot put in a policy that
    nobody agreed to. What was adopted, the authority alone knows: lint says so. The first policy comes with its
    authority.

    Evidence: the version of the policy that comes, or that none does.
    """
    proposal = question.proposals.get("root")
    if question.root is None or proposal is None or not isinstance(proposal.signed, Root):
        return _NOT_HERE
    before = _pin_of(question.root.value, question.policy.authority)
    after = _pin_of(proposal.signed, question.policy.authority)
    if before is None or after == before:
        return "the policy stays"
    adopted = question.ledger.policies
    if adopted is None:
        return f"{after}, which the authority must have adopted"
    if after is None or after.sha256 not in adopted:
        refuse(MetaRule.POLICY_APPROVED, f"root version {proposal.version}", "an adopted policy", str(after))
    return f"policy version {after.version} was adopted"


def _pin_of(root: Root, authority: Authority) -> PolicyPin | None:
    policies = view_root(root).extension.policies
    return policies.manifest if authority == "manifest" else policies.release


def kind_of(role: str) -> str:
    """``manifest`` and ``payload`` for product roles, else the role itself."""
    return role.rpartition(".")[2]


def _root_thresholds(root: Root) -> dict[str, tuple[str, int]]:
    own = {name: (name, role.threshold) for name, role in root.roles.items() if name != "timestamp"}
    release = view_root(root).extension.authorities.release
    return own | ({"payload roles": ("payload", release.payload_threshold)} if release else {})


_NOT_HERE = "not part of this action"
RULES = {
    MetaRule.META_ROLES: roles,
    MetaRule.META_EXPIRY: expiry,
    MetaRule.META_THRESHOLD: thresholds,
    MetaRule.META_AUTHORITY: authority,
    MetaRule.POLICY_PINNED: policy_pinned,
    MetaRule.POLICY_APPROVED: policy_approved,
}
