"""AIWorkload: from a manifest to servers that answer, version after version."""
