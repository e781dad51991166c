"""What an API server means by its verbs: pure functions on plain objects."""
