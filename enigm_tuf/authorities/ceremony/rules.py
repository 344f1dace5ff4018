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


class CeremonyRule(Rule):
    """Kept while a ceremony runs."""

    CEREMONY_POLICY = "CEREMONY-POLICY", "a ceremony runs under the policy that its script names, at its own authority"
    CEREMONY_PEOPLE = (
        "CEREMONY-PEOPLE",
        "every role is played by enough distinct operators, none of them in two that exclude",
    )
    CEREMONY_TOKEN = "CEREMONY-TOKEN", "a token has the serial that the script says"
    CEREMONY_MATERIAL = "CEREMONY-MATERIAL", "what stands on a bag is what the script says"
    CEREMONY_SAME = "CEREMONY-SAME", "a ceremony goes on with the script and the people that it began with"
    REHEARSAL_ONLY = "REHEARSAL-ONLY", "a rehearsal uses software tokens alone, and never those of production"


class TranscriptRule(Rule):
    """What must hold of a transcript, for ``ceremony verify`` and before one is gone on with."""

    TRANSCRIPT_LINK = "TRANSCRIPT-LINK", "every line has the next number and the hash of the line before it"
    TRANSCRIPT_ORDER = (
        "TRANSCRIPT-ORDER",
        "the steps are those of the script, in its order, none skipped, by its people",
    )
    TRANSCRIPT_SCRIPT = "TRANSCRIPT-SCRIPT", "a transcript is one of this very script"
    TRANSCRIPT_SIGNED = "TRANSCRIPT-SIGNED", "every participant signed the closed transcript with an approval key"
    TRANSCRIPT_ANCHORED = "TRANSCRIPT-ANCHORED", "the audit log says when the ceremony was opened and how it was closed"
    TRANSCRIPT_REAL = "TRANSCRIPT-REAL", "a rehearsal is no ceremony"
