"""``verify``: the whole published tree against what was signed, like fsck."""
