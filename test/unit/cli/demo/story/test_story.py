"""The story: which steps it has, what each does and says, and that nothing is said to be well that is not."""

import itertools

import pytest
from rich.text import Text

from aiop.cli.demo.story.steps import ON_CURRENT, ON_EMBEDDED, ON_REAL, Step
from aiop.cli.demo.story.telling import tell
from support.demostage import FakeStage, FakeTraffic


async def told(stage: FakeStage, steps: tuple[Step, ...] = ON_EMBEDDED) -> tuple[bool, list[str]]:
    """Whether it ended well, and the lines; each step takes half a second."""
    lines: list[str] = []
    seconds = itertools.count(0.0, 0.5)

    async def before(step: Step) -> None:
        stage.done.append(f"announced: {step.title}")

    def say(line: Text) -> None:
        lines.append(line.plain)

    good = await tell(stage, steps, say=say, before=before, now=lambda: next(seconds))
    return good, lines


async def test_every_step_is_told_in_a_line_with_what_happened_and_how_long_it_took() -> None:
    good, lines = await told(FakeStage())
    assert good
    assert [line for line in lines if not line.startswith(" ")] == [
        "✓ 1. All samples are Ready; 2 servers serve bert-base-uncased v1.0.0  0.5 s",
        "✓ 2. Prediction: “What a wonderful day” is positive (88%)  0.5 s",
        "✓ 3. Load rose to 41 requests a second: 2 → 4 servers  0.5 s",
        "✓ 4. v1.1.0 took v1.0.0's place under load: 10 requests, 0 failed  0.5 s",
        "✓ 5. b was killed (kill -9) and is back; meanwhile 10 requests, 0 failed  0.5 s",
        "✓ 6. v1.2.0 is damaged: v1.1.0 goes on serving, 10 requests, 0 failed  0.5 s",
        "✓ 7. modelVersion is v1.1.0 again: Ready, 10 requests, 0 failed  0.5 s",
    ]


async def test_each_step_is_announced_before_anything_is_done() -> None:
    stage = FakeStage()
    await told(stage)
    assert stage.done[:3] == [
        "announced: The samples become Ready",
        "announced: A sentence is sent to /api/v1/predict",
        "ask What a wonderful day",
    ]
    changes = [each for each in stage.done if each.startswith(("version", "kill"))]
    assert changes == ["version v1.1.0", "kill b", "version v1.2.0", "version v1.1.0"]


async def test_the_reader_gets_the_answer_the_stand_ins_name_and_a_line_to_type() -> None:
    _, lines = await told(FakeStage(), ON_EMBEDDED[:2])
    more = "\n".join(lines)
    assert 'answer: {"label":"positive"}' in more
    assert "bert-base-uncased v1.0.0, a stand-in for BERT" in more
    assert """curl http://127.0.0.1:1/api/v1/predict -d '{"text": "What a wonderful day"}'""" in more


async def test_load_rises_until_there_are_more_servers_and_enough_requests_to_notice_a_lost_one() -> None:
    stage = FakeStage(scales_at=10.0)
    good, _ = await told(stage, ON_EMBEDDED[:3])
    assert good
    assert stage.rates[0] == 10.0
    assert stage.rates == sorted(stage.rates)
    assert stage.rates[-2] < 40.0 <= stage.rates[-1]


async def test_load_is_bounded_and_replicas_that_do_not_follow_are_told() -> None:
    stage = FakeStage(scales_at=1000.0)
    good, lines = await told(stage)
    assert not good
    assert max(stage.rates) <= 100.0
    assert lines[-1].startswith(
        "✗ 3. Load rises and replicas follow: not within 1 s: there are more than 2 servers ready"
    )


@pytest.mark.parametrize("stage", [FakeStage(), FakeStage(stuck="v1.1.0"), FakeStage(scales_at=1000.0)])
async def test_the_load_ends_with_the_story_however_that_ends(stage: FakeStage) -> None:
    await told(stage)
    assert stage.load.rate == 0.0


async def test_what_the_version_change_costs_and_brings_is_told() -> None:
    stage = FakeStage(load=FakeTraffic(failed=3))
    _, lines = await told(stage)
    told_of_it = [line for line in lines if "disappointed" in line]
    assert told_of_it == [
        "      “I was not disappointed” was negative (88%); v1.1.0, which reads pairs of words too, says positive (88%)"
    ]
    assert "0 failed" in "".join(lines), "what failed before a step is not that step's"


async def test_after_a_step_that_fails_nothing_more_is_done() -> None:
    stage = FakeStage(stuck="v1.1.0")
    good, lines = await told(stage)
    assert not good
    assert lines[-1] == "✗ 4. modelVersion changes to v1.1.0 under load: not within 1 s: v1.1.0 serves, Ready  0.5 s"
    assert "kill b" not in stage.done


async def test_a_server_that_does_not_come_back_is_told() -> None:
    good, lines = await told(FakeStage(comes_back=False))
    assert not good
    assert "✗ 5." in lines[-1]
    assert "b is back" in lines[-1]


async def test_the_damaged_version_is_told_with_the_condition_and_the_good_one_must_answer() -> None:
    _, lines = await told(FakeStage())
    assert "      Ready: exit code 1" in lines
    good, lines = await told(FakeStage(wrong_server="v1.2.0"))
    assert not good
    assert lines[-1].startswith("✗ 6.")
    assert "v1.2.0 answers, and it should be v1.1.0" in lines[-1]


async def test_a_cluster_whose_pods_are_played_gets_a_shorter_story() -> None:
    stage = FakeStage(url="")
    good, lines = await told(stage, ON_REAL)
    assert good
    assert lines == [
        "✓ 1. All samples are Ready; 2 servers serve bert-base-uncased v1.0.0  0.5 s",
        "✓ 2. v1.1.0 took v1.0.0's place  0.5 s",
    ]


async def test_a_cluster_of_the_callers_own_is_changed_no_further() -> None:
    stage = FakeStage(url="")
    assert (await told(stage, ON_CURRENT))[0]
    assert [each for each in stage.done if not each.startswith("announced")] == []
