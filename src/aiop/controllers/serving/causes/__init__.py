"""Why servers are not ready: one family of causes a file, each in the words of who knows; pure."""
