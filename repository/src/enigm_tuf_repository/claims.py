"""What artifacts say of themselves, beside what a release says of them. One comparison, in step 2 and in step 7."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.manifest import RELEASE
from enigm_tuf.model.payload import PAYLOAD_TYPE
from enigm_tuf.model.shapes import BUILD_ID, Shape
from enigm_tuf_repository.inspection.inspector import Claims
from enigm_tuf_repository.rules import ArtifactRule

OF_RELEASE = ("version", "build_id", "security_patch_level", "rollback_index", "hardware_ids")
"""The claims that all artifacts of a release must share; type and source build are of one artifact alone."""
_SHAPES: Mapping[str, Shape[Any]] = {name: RELEASE.fields[name] for name in OF_RELEASE} | {
    "type": PAYLOAD_TYPE,
    "source_build": BUILD_ID,
}


def require_claims(subject: str, claims: Claims, said: Claims, whose: str) -> None:
    """ARTIFACT-CLAIMS: wherever the artifact ``subject`` says something, ``said`` is the same.

    ``whose`` names the document that ``said`` is from. MalformedError where no manifest could carry the claim.
    """
    for field in fields(Claims):
        claim, got = getattr(claims, field.name), getattr(said, field.name)
        if claim is not None and _comparable(claim) != _comparable(got):
            _readable(subject, field.name, claim)
            expected = f"{_shown(claim)} as the artifact says"
            shown = f"{_shown(got)} in {whose}"
            raise RefusedError(ArtifactRule.ARTIFACT_CLAIMS, f"{subject}, {field.name}", expected=expected, got=shown)


def filled(said: Claims, artifacts: Iterable[tuple[str, Claims]], whose: str) -> Claims:
    """``said`` with what the artifacts add to it; RefusedError ARTIFACT-CLAIMS where any two say different things."""
    for subject, claims in artifacts:
        new = {name: getattr(claims, name) for name in _SHAPES if getattr(said, name) is None}
        said = replace(
            said, **{name: _readable(subject, name, claim) for name, claim in new.items() if claim is not None}
        )
        require_claims(subject, claims, said, whose)
    return said


def of_release(claims: Claims) -> Claims:
    """Without what is of one artifact alone."""
    return replace(claims, type=None, source_build=None)


def _readable(subject: str, name: str, claim: object) -> Any:
    value = list(claim) if isinstance(claim, tuple) else claim
    try:
        return _SHAPES[name].read(value, subject, name)
    except MalformedError as error:
        hint = "the build must say it in a form that a manifest can carry"
        raise MalformedError(subject, name, error.rule, hint=hint) from error


def _comparable(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "nothing" if value is None else str(value)
