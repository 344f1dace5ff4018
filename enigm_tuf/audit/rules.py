"""What must hold of an audit log."""

from enigm_tuf.trust.rules import Rule


class AuditRule(Rule):
    """Judged wherever a log or a proof from it is read, and before anything is appended."""

    LOG_FORM = "LOG-FORM", "every entry is of a known type, in the one encoding, and says its own number"
    LOG_TIME = "LOG-TIME", "time never goes back"
    LOG_TREE = "LOG-TREE", "entries and tiles of a log are those that its checkpoint is over"
    LOG_CHECKPOINT = "LOG-CHECKPOINT", "a checkpoint is signed with its log's own key, under the log's own name"
    LOG_CONSISTENT = "LOG-CONSISTENT", "a log begins with all that an older checkpoint of it holds"
    LOG_INCLUSION = "LOG-INCLUSION", "an entry leads to the root of its log's checkpoint"
    LOG_DECISION = "LOG-DECISION", "a response tells the decision that the log has beside each of its signatures"
    LOG_SIGNATURES = "LOG-SIGNATURES", "every signature of the authority in a published repository is in its log"
    LOG_HISTORY = "LOG-HISTORY", "a history that is kept beside the log is what all entries before it say"
    LOG_PINNED = "LOG-PINNED", "an authority signs under a root that pins this very log of it, and no other"
    LOG_WITNESS = "LOG-WITNESS", "a checkpoint is cosigned by as many distinct witnesses as are asked for"
