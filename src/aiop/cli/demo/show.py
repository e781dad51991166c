"""The live view: the story's lines, below them the table and the load, redrawn while the story goes on."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from aiop.cli.demo.board import load_line, table_of
from aiop.cli.demo.keys import EnterKey
from aiop.cli.demo.story.live import LiveStage
from aiop.cli.demo.story.steps import Step
from aiop.cli.demo.story.telling import tell

_REFRESH_SECONDS = 0.2


class Show:
    """Plays steps on a stage for whoever sits before the console."""

    def __init__(self, console: Console, stage: LiveStage, *, step_by_step: bool) -> None:
        self._console = console
        self._stage = stage
        self._enter = EnterKey() if step_by_step else None
        self._now = ""

    async def run(self, steps: Sequence[Step]) -> bool:
        """True if every step came to its end and no request failed."""
        quiet = self._enter.quiet() if self._enter is not None else nullcontext()
        with quiet, Live(console=self._console, auto_refresh=False) as live:
            story, drawing = tasks = [asyncio.create_task(part) for part in (self._tell(steps), self._draw(live))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                good = bool(story.done() and story.result())
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                live.update(self._drawn(), refresh=True)
            if drawing.done() and not drawing.cancelled():
                drawing.result()
        return good and not self._stage.load.failed

    async def _tell(self, steps: Sequence[Step]) -> bool:
        clock = asyncio.get_running_loop()
        return await tell(self._stage, steps, say=self._say, before=self._announce, now=clock.time)

    async def _announce(self, step: Step) -> None:
        if self._enter is not None:
            self._now = f"Next: {step.title}. Press Enter."
            await self._enter.pressed()
        self._now = f"{step.title} …"

    def _say(self, line: Text) -> None:
        self._now = ""
        self._console.print(line, highlight=False, soft_wrap=True)

    async def _draw(self, live: Live) -> None:
        while True:
            live.update(self._drawn(), refresh=True)
            await asyncio.sleep(_REFRESH_SECONDS)

    def _drawn(self) -> Group:
        return Group(table_of(self._stage.rows()), load_line(self._stage.load), Text(self._now, style="bold"))
