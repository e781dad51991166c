"""What explanations add to a cause: where it was read, what comes next, and what the operator does not read."""
