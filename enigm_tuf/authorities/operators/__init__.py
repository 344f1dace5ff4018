"""The registry of operators: proposed from a file that people write, voted for, in force by the audit log."""
