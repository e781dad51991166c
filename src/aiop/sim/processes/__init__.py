"""Pods whose containers are local processes of the caller."""
