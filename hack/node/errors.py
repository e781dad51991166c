"""What can go wrong with a node."""


class NodeFailed(RuntimeError):
    """Raised when the cluster does not come up or does not do what it was asked; the text holds the end of its log."""


class NotRoot(NodeFailed):
    """Raised when the caller may not make namespaces; the text says what is needed."""
