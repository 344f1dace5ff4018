"""A TUF-based update framework for OS vendors with two signing authorities."""

VERSION = "0.1.0"
