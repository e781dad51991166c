"""The chain from an AIWorkload to what holds it back: a link a file, each pure; the first to find something ends it."""
