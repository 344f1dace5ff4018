"""An emergency is asked for under its own action; on the repository's side it is a release, with all of its gates."""

from enigm_testkit.vendor import Vendor


def test_the_requests_are_of_an_emergency_and_the_record_is_of_a_release(prepared: Vendor) -> None:
    config = str(prepared.path / "build-1.0" / "release.toml")
    assert prepared.record("phone-1.0").action == "release"
    prepared.done("release", "prepare", "--config", config, "--emergency")
    for authority in ("release", "manifest"):
        index = prepared.request("phone-1.0", "release" if authority == "release" else "manifest").index
        assert (index.authority, index.action) == (authority, "emergency")
    assert prepared.record("phone-1.0").action == "release"


def test_an_authority_whose_policy_knows_no_emergency_is_not_asked_in_vain(prepared: Vendor) -> None:
    """Lint says so before anybody is asked."""
    config = str(prepared.path / "build-1.0" / "release.toml")
    prepared.done("release", "prepare", "--config", config, "--emergency")
    request = prepared.workspace.record("phone-1.0") / "requests" / "release.enigmreq"
    assert prepared.run("request", "lint", str(request)) == 3
