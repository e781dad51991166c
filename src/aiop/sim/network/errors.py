"""What keeps the network from leading a request on."""


class NotForwarded(Exception):
    """Raised when a request cannot be led on; ``status`` is the answer's code, the text its plain sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
