"""The drills of ``make drill``: who may fall into an attacker's hands, what they try, what stops it, what they get."""
