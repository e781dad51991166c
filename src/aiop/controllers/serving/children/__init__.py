"""What an AIWorkload's children look like, one kind a file; pure."""
