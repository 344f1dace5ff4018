"""Looking into artifacts: strict, bounded parsers that say what a file is and what it says of itself.

A parser takes a ``Source`` and gives values, or MalformedError. It decides nothing: gates do.
"""
