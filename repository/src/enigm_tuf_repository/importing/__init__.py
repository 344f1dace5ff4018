"""Adopting what another TUF repository holds: verified under its own root, and then signed anew under ours."""
