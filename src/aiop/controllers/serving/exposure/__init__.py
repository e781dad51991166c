"""How a workload is reached from outside: which way, which path, whose claim, and what the other side says to it."""
