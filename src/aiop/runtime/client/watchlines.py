"""From chunks, as the network cuts them, to the lines of a watch stream. No I/O."""


class LineFramer:
    """Collects chunks and gives out complete lines, without their line ends, in order.

    A line may come in any number of chunks and be of any size; the cost stays linear, since pieces are joined once.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` completes, empty ones left out."""
        if b"\n" not in chunk:
            if chunk:
                self._pieces.append(chunk)
            return []
        lines = chunk.split(b"\n")
        if self._pieces:
            lines[0] = b"".join((*self._pieces, lines[0]))
            self._pieces.clear()
        rest = lines.pop()
        if rest:
            self._pieces.append(rest)
        return [line for line in lines if line]

    @property
    def incomplete(self) -> bool:
        """True while a line has begun and not ended: a stream that ends now was cut."""
        return bool(self._pieces)
