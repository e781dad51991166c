"""Servers get other amounts of cpu and memory while they run, where the cluster can do that."""
