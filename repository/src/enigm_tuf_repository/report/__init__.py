"""One page that shows where a repository stands: trust, expiry, releases, rollouts, audit logs, and what changed."""
