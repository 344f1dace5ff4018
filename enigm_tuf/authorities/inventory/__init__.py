"""The signed key inventory: proposed, voted for, adopted, and compared with the tokens (ADR 16)."""
