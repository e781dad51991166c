"""Goes through the steps, and tells each in a line with the seconds that it took."""

from collections.abc import Awaitable, Callable, Sequence

from rich.text import Text

from aiop.cli.demo.errors import StepFailed
from aiop.cli.demo.story.stage import Stage
from aiop.cli.demo.story.steps import Step


async def tell(
    stage: Stage,
    steps: Sequence[Step],
    *,
    say: Callable[[Text], None],
    before: Callable[[Step], Awaitable[None]],
    now: Callable[[], float],
) -> bool:
    """True if every step came to its end. ``before`` is awaited before each; after a failed one nothing more is done.

    The load ends with the story, however that ends.
    """
    try:
        for number, step in enumerate(steps, 1):
            await before(step)
            began = now()
            try:
                told = await step.act(stage)
            except StepFailed as failure:
                say(_line("✗", "red", number, f"{step.title}: {failure}", now() - began))
                return False
            say(_line("✓", "green", number, told.line, now() - began))
            for line in told.more:
                say(Text(f"      {line}", style="dim"))
        return True
    finally:
        stage.load.rate = 0.0


def _line(mark: str, style: str, number: int, words: str, seconds: float) -> Text:
    return Text.assemble((mark, style), f" {number}. {words}", (f"  {seconds:.1f} s", "bold"))
