"""Copies of payload keys: wrapping keys, backups, restore proofs, recovery (ADR 20). Root has more keys instead."""
