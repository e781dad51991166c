"""The pod of a revision, one concern a file; pure."""
