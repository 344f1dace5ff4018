"""What must hold of a ceremony's script."""

from enigm_tuf.trust.rules import Rule


class ScriptRule(Rule):
    """Proved by ``ceremony check`` from the script alone, before anybody is in the room."""

    SCRIPT_ROLES = "SCRIPT-ROLES", "every role that is named is defined, and every role that is defined is used"
    SCRIPT_TWO_PEOPLE = "SCRIPT-TWO-PEOPLE", "who acts and who watches exclude each other"
    SCRIPT_TYPE = "SCRIPT-TYPE", "a ceremony does what its type is for, and nothing beyond"
    SCRIPT_ARGUMENTS = (
        "SCRIPT-ARGUMENTS",
        "a step's command takes its arguments, and home, policy and tokens from the script",
    )
    SCRIPT_MATERIALS = "SCRIPT-MATERIALS", "tokens, bags and image of the script are those that its steps use"
    SCRIPT_SERIAL = "SCRIPT-SERIAL", "a token is named by its serial, or gets it here before anything else"
    SCRIPT_INVENTORY = "SCRIPT-INVENTORY", "a token is compared with the inventory before a key of it is used"
    SCRIPT_VERIFIED = "SCRIPT-VERIFIED", "the audit log is verified after a key was used"
    SCRIPT_KEY_LISTED = (
        "SCRIPT-KEY-LISTED",
        "a key that is made or restored is put in the inventory and compared with it",
    )
