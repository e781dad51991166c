"""What sets the number of servers: targets, whether they can be read, and what is said of it."""
