"""The policy: what an authority demands before it signs. Pure; shared by the authority and ``request lint``."""
