"""The sections of a policy beyond quorums and metadata, demanding what every test can give: nothing."""

from enigm_tuf.model.request import ACTION


def demands_toml() -> str:
    """No card is too old, no build is proved, no time is wrong."""
    none = ", ".join(f"{action} = 0" for action in ACTION.words)
    return "\n".join(
        [
            '\n[key]\npiv_firmware = "0"\nattested = []',
            '[source]\nunproved = ["*"]\nproducts = []',
            '[gate]\nuntested = ["*"]\nproducts = []',
            f"[time]\nrelax_delay_hours = 0\ncool_down_hours = {{{none}}}\nfreezes = []\nweekly_freezes = []",
            "[rate]\nsignatures_per_session = 100\nsignatures_per_day = 10000",
            f"[ceremony]\nopen_hours = {{{none}, policy = 0, operators = 0, inventory = 0}}\n",
        ]
    )
