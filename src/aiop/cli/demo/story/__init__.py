"""What the demo shows, one step after the other, each told in a line with what happened and how long it took."""
