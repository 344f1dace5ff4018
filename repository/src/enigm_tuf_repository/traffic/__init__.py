"""What a fleet asks of a repository: requests and bytes by role, worked out and not measured."""
