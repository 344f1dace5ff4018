"""An authority's decision as others read it: an in-toto Statement with SLSA's Verification Summary (v1) as predicate.

https://slsa.dev/spec/v1.1/verification_summary. What has no field there stands in ``x-enigm-tuf``.
"""

from collections.abc import Mapping

from enigm_tuf.model.request import RULE_OUTCOME, SigningResponse
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.shapes import Time
from enigm_tuf.model.statement import STATEMENT_TYPE
from enigm_tuf.model.strict_json import JsonObject

PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
_VERIFIER = "https://enigm-tuf.dev/authority/v1"


def verification_summary(response: SigningResponse, payloads: Mapping[str, str]) -> JsonObject:
    """``payloads`` are the SHA-256 of the canonical bytes that were decided on, by role; each is a subject."""
    names = {item.role: f"{item.role}.{item.version}.json" for item in response.signatures}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": names[role], "digest": {"sha256": payloads[role]}} for role in sorted(names)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": f"{_VERIFIER}/{response.environment}/{response.authority}"},
            "timeVerified": Time().write(response.decided),
            "resourceUri": f"urn:enigm-tuf:{response.environment}:{response.authority}:{response.request_id}",
            "policy": {
                "uri": f"urn:enigm-tuf:policy:{response.authority}:{response.policy.version}",
                "digest": {"sha256": response.policy.sha256},
            },
            "inputAttestations": [{"digest": {"sha256": digest}} for digest in response.approvals],
            "verificationResult": response.decision,
            "verifiedLevels": [],
            "slsaVersion": "1.1",
            FIELD: {
                "request_sha256": response.request_sha256,
                "inventory_sha256": response.inventory,
                "rules": [RULE_OUTCOME.write(item) for item in response.rules],
                "audit": {"entries": response.audit.entries, "sha256": response.audit.sha256},
            },
        },
    }
