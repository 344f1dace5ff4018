"""Ceremonies: scripts that are checked before, run with witnesses, and leave a transcript that can be verified."""
