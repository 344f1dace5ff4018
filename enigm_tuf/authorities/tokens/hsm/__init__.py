"""PKCS#11: any module, in a process of its own (ADR 15)."""
