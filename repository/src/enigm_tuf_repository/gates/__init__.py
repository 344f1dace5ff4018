"""Step 7: release gates. Each is a plug-in and stands alone, and none can be switched off (docs/reference/gates.md)."""
