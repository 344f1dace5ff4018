"""What must hold of an audit log."""

from enigm_tuf.trust.rules import Rule


class AuditRule(Rule):
    """Each is found by ``audit verify``, and before anything is appended."""

    LOG_WHOLE = "LOG-WHOLE", "the last line is whole"
    LOG_FORM = "LOG-FORM", "every line is one entry of a known type, in the one encoding"
    LOG_LINK = "LOG-LINK", "every entry has the next number and the hash of the entry before it"
    LOG_TIME = "LOG-TIME", "time never goes back"
    LOG_HEAD = "LOG-HEAD", "the log contains the pinned head"
    LOG_CHECKPOINT = "LOG-CHECKPOINT", "a checkpoint is signed with its log's own key, under the log's own name"
    LOG_CONSISTENT = "LOG-CONSISTENT", "a log begins with all that an older checkpoint of it holds"
    LOG_INCLUSION = "LOG-INCLUSION", "an entry leads to the root of its log's checkpoint"
    LOG_WITNESS = "LOG-WITNESS", "a checkpoint is cosigned by as many distinct witnesses as are asked for"
