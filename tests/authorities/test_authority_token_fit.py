"""Which tokens an environment takes, by what a token says of itself."""

import pytest

from enigm_tuf.authorities.token_fit import require_fit, require_home
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import Environment, Purpose
from enigm_tuf.model.value import replace
from enigm_tuf.ports import TokenIdentity

HSM = TokenIdentity("hsm", "Maker", "Model", "1", "2.0", "rel-a")
SIMULATOR = replace(HSM, manufacturer="SoftHSM project")
FACTORY = replace(HSM, model="YubiKey factory secrets")
KEY_FILE = replace(HSM, home="development")


@pytest.mark.parametrize("environment", ["production", "staging", "development"])
def test_a_hardware_token_fits_everywhere(environment: Environment) -> None:
    require_fit(HSM, environment)


@pytest.mark.parametrize(
    ("identity", "environment", "rule"),
    [
        (SIMULATOR, "production", "TOKEN-PRODUCTION"),
        (FACTORY, "production", "TOKEN-PRODUCTION"),
        (KEY_FILE, "production", "ENVIRONMENT-MATCH"),
        (KEY_FILE, "staging", "ENVIRONMENT-MATCH"),
    ],
)
def test_others_do_not(identity: TokenIdentity, environment: Environment, rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        require_fit(identity, environment)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("identity", "environment"),
    [(SIMULATOR, "staging"), (FACTORY, "staging"), (KEY_FILE, "development"), (SIMULATOR, "development")],
)
def test_and_fit_where_nothing_is_shipped(identity: TokenIdentity, environment: Environment) -> None:
    require_fit(identity, environment)


CARD = replace(HSM, home="piv")


@pytest.mark.rule("TOKEN-HOME", "accept")
@pytest.mark.parametrize(
    ("identity", "environment", "purpose"),
    [
        (HSM, "production", "root"),
        (HSM, "production", "payload"),
        (CARD, "production", "manifest"),
        (CARD, "production", "approval"),
        (HSM, "production", "timestamp"),
        (CARD, "production", "timestamp"),
        (HSM, "staging", "manifest"),
        (CARD, "staging", "root"),
    ],
)
def test_each_key_has_its_home(identity: TokenIdentity, environment: Environment, purpose: Purpose) -> None:
    require_home(identity, environment, purpose)


@pytest.mark.rule("TOKEN-HOME", "reject")
@pytest.mark.parametrize(
    ("identity", "purpose"), [(CARD, "root"), (CARD, "payload"), (HSM, "manifest"), (HSM, "approval")]
)
def test_and_no_other_in_production(identity: TokenIdentity, purpose: Purpose) -> None:
    with pytest.raises(RefusedError) as caught:
        require_home(identity, "production", purpose)
    assert caught.value.rule == "TOKEN-HOME"
