"""AIWorkload: what is read of one, and the links from it to the cause."""
