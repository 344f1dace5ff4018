"""What the authority itself demands around a signature, beside its policy."""

from enigm_tuf.trust.rules import Rule


class InventoryRule(Rule):
    """What the signed inventory demands of itself and of every token."""

    INVENTORY = "INVENTORY", "all that lies on a token is what the inventory says, before anything is signed with it"
    INVENTORY_QUORUM = "INVENTORY-QUORUM", "an inventory is signed by the operators that the policy asks for"
    INVENTORY_HEAD = "INVENTORY-HEAD", "the inventory in force is the one that the audit log names last"


class OperatorsRule(Rule):
    """What the registry of operators demands of itself."""

    OPERATORS_QUORUM = "OPERATORS-QUORUM", "a registry of operators is signed by the policy-approvers of the one before"
    OPERATORS_HEAD = (
        "OPERATORS-HEAD",
        "the registry in force follows the policy's, and is what the audit log names last",
    )


class PolicyChangeRule(Rule):
    """What a change of the policy demands."""

    POLICY_QUORUM = "POLICY-QUORUM", "a policy is approved by the quorum of the strictest action that it relaxes"
    POLICY_NEXT = "POLICY-NEXT", "a policy follows the one in force, and was proposed in the audit log"
    POLICY_DELAY = "POLICY-DELAY", "a policy that asks for less has been proposed as long as the one in force says"


class RecoveryRule(Rule):
    """What signing again demands after an intent without a result."""

    RECOVERY_QUORUM = (
        "RECOVERY-QUORUM",
        "a finding is signed by the auditors or policy-approvers that the policy asks for, without the custodian",
    )
    RECOVERY_INTENT = "RECOVERY-INTENT", "a finding is about the very intent that is open, in this very log"


class BackupRule(Rule):
    """What copies of keys demand; how old a restore proof may be, the policy says."""

    WRAPPING_KEY = "WRAPPING-KEY", "keys are wrapped and unwrapped under a wrapping key of the inventory alone"
    BACKUP_STATEMENT = "BACKUP-STATEMENT", "a backup is of a key of the inventory, which signed that it is"
    BACKUP_SPARE = "BACKUP-SPARE", "a copy is restored on another token than the key's own"
    BACKUP_MOVED = "BACKUP-MOVED", "a key changes its token only by a restore that is in the audit log"


class SigningRule(Rule):
    """Each refuses on its own, and is logged."""

    CONFIRM_WORDS = "CONFIRM-WORDS", "the person types the last four words of what they decide on"
    APPROVER_KEY = "APPROVER-KEY", "an operator approves with their own enrolled key on its own device"
    ROOT_OWN = "ROOT-OWN", "an authority that signs root trusts only a root that it signed"
    ROOT_CHAIN = "ROOT-CHAIN", "a request brings the roots that the authority already trusts, and what follows them"
    KEY_OF_ROLE = "KEY-OF-ROLE", "the key on the token is one that root or the delegation gives to the role"
    SIGN_APPROVED = "SIGN-APPROVED", "a token signs the bytes of an approved request, whichever library asks"
    SIGN_ONCE = "SIGN-ONCE", "a key signs a request once"
    SIGN_INTENT_OPEN = "SIGN-INTENT-OPEN", "nothing is signed while it is unknown whether a signature was made"
    DECISION_PROVEN = "DECISION-PROVEN", "a published decision has signatures and approvals of what the tree holds"
