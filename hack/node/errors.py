"""What can go wrong with a node."""


class NodeFailed(RuntimeError):
    """Raised when the cluster does not come up or does not do what it was asked; the text holds the end of its log."""


class NotRoot(NodeFailed):
    """Raised when the caller may not make namespaces; the text says what is needed."""


class MachineUnfit(NodeFailed):
    """Raised when no cluster can run on this machine, whoever asks; the text says what it lacks."""


class FolderUnfit(NodeFailed):
    """Raised when a cluster's folder cannot be one; the text says why."""
