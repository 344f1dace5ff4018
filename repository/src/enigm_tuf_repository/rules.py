"""What the repository demands before it hands anything on. The gates' rules are among them."""

from enigm_tuf.trust.rules import Rule


class RepositoryRule(Rule):
    """Each refuses on its own."""

    RECORD_EVIDENCE = "RECORD-EVIDENCE", "a step runs on the very bytes that the steps before it saw, and on no others"
    RESPONSE_REQUEST = "RESPONSE-REQUEST", "an authority's response answers a request of this record"
    RESPONSE_DECISION = "RESPONSE-DECISION", "the authority passed the request, by every rule"
    RESPONSE_SIGNATURE = "RESPONSE-SIGNATURE", "a response signs all that was asked, with keys of the roles"
    VERIFY_NGCLIENT = "VERIFY-NGCLIENT", "python-tuf's client accepts the staged tree and downloads every new target"
    PAYLOAD_BYTES = "PAYLOAD-BYTES", "payloads on the disk are those of the manifest and of the payload record"
    VERSION_INCREASE = "VERSION-INCREASE", "every role and the release are newer than what is published"
    EXPIRY_HORIZON = "EXPIRY-HORIZON", "no role expires within a tenth of its life after publication"
    PUBLISHED_TREE = (
        "PUBLISHED-TREE",
        "published metadata holds signed versions of the roles in force, and nothing else",
    )
