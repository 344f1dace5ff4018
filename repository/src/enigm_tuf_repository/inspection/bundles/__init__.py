"""Update bundles of other systems: RAUC, SWUpdate."""
