"""What can go wrong with pods that run as processes."""


class ProcessPodError(Exception):
    """Raised when something about a pod that runs as processes cannot be done; the base of all here."""


class PodNotFound(ProcessPodError):
    """Raised when no pod of that key runs here."""


class ContainerNotFound(ProcessPodError):
    """Raised when the pod has no container of that name, or it does not run and must."""


class PortNotFound(ProcessPodError):
    """Raised when the pod has no such port and no address of its own."""


class NothingLogged(ProcessPodError):
    """Raised when there is no log yet, or none of a previous run."""


class CommandNotStarted(ProcessPodError):
    """Raised when a command cannot be started: it is not there, or may not be run."""


class ContainerNotMade(ProcessPodError):
    """Raised when a container cannot be made of its spec as things are; the words are a kubelet's."""


class VolumeNotMounted(ProcessPodError):
    """Raised when a volume of a pod cannot be set up as things are; the words are a kubelet's."""
