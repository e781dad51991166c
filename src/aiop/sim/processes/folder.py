"""A folder for files that shall be gone with their process, however that ends, such as those of a cluster's pods."""

import asyncio
import secrets
import sys
from pathlib import Path

_JANITOR = Path(__file__).with_name("janitor.py")


class Folder:
    """``path`` is a new folder below ``parent``, private, whose name begins with ``prefix``.

    It is made by ``open``, and removed by a process of its own.

    That process ends once this one has, or at ``close``: a kill -9 leaves no Secret in a file.
    """

    def __init__(self, parent: Path, prefix: str = "pods") -> None:
        self.path = parent / f"{prefix}-{secrets.token_hex(4)}"
        self._janitor: asyncio.subprocess.Process | None = None
        self._opening = asyncio.Lock()
        self._made = False

    async def open(self) -> None:
        """Make it, unless it is there."""
        async with self._opening:
            if self._janitor is None:
                self._janitor = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-I", "-S", str(_JANITOR), str(self.path)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,  # a terminal's Ctrl-C is not for it
                )
            if not self._made:
                await asyncio.to_thread(self.path.mkdir, mode=0o700, parents=True)
                self._made = True

    async def close(self) -> None:
        """Remove it, with all that is in it."""
        if self._janitor is not None and self._janitor.stdin is not None:
            self._janitor.stdin.close()
            await self._janitor.wait()
