"""Gauges about objects: what is in the cache now, once, whatever the objects say."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aiop.runtime.manager.objectgauges import ObjectGauge, ObjectGauges, Sample
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from support.managerbench import bench

SIZE = ObjectGauge("widget_size", "How big it is.")
INFO = ObjectGauge("widget_info", "1.", ("colour",))


def widget(name: str, colour: str = "red", namespace: str = "default") -> CustomObject:
    return CustomObject(ObjectMeta(name=name, namespace=namespace), spec=colour.encode(errors="surrogatepass"))


class Widgets:
    """A cache of widgets whose gauges tell what they were asked about."""

    def __init__(self, *widgets: CustomObject) -> None:
        self.widgets = list(widgets)
        self.asked: list[str] = []
        self.gauges = ObjectGauges((INFO, SIZE), lambda: self.widgets, self.samples)

    def samples(self, view: CustomObject) -> Iterator[Sample]:
        self.asked.append(view.metadata.name)
        if view.metadata.name == "broken":
            raise ValueError(view.metadata.name)
        yield Sample(SIZE, len(view.spec))
        yield Sample(INFO, 1, (view.spec.decode(errors="surrogatepass"),))

    async def values(self) -> dict[tuple[str, ...], float]:
        text = (await self.gauges.exposition()).decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


async def test_every_gauge_of_every_object_shows_with_namespace_and_name_first() -> None:
    this = Widgets(widget("one"), widget("two", "blue", "team"))
    assert (await this.gauges.exposition()).decode().splitlines() == [
        "# HELP widget_info 1.",
        "# TYPE widget_info gauge",
        'widget_info{namespace="default",name="one",colour="red"} 1.0',
        'widget_info{namespace="team",name="two",colour="blue"} 1.0',
        "# HELP widget_size How big it is.",
        "# TYPE widget_size gauge",
        'widget_size{namespace="default",name="one"} 3.0',
        'widget_size{namespace="team",name="two"} 4.0',
    ]


async def test_what_did_not_change_is_not_written_again() -> None:
    this = Widgets(widget("one"), widget("two"))
    await this.values()
    this.widgets[1] = widget("two", "blue")
    await this.values()
    assert this.asked == ["one", "two", "two"]


async def test_an_object_that_is_gone_has_no_series() -> None:
    this = Widgets(widget("one"), widget("two"))
    await this.values()
    del this.widgets[0]
    assert {labels[2] for labels in await this.values()} == {"two"}


@pytest.mark.parametrize("text", ['"} 1\nup 0', "a\\", "a\\n", '\\"', "{}", "# TYPE up gauge", "", "\u2028ü🙂", "\r"])
async def test_no_text_of_an_object_breaks_the_exposition(text: str) -> None:
    this = Widgets(widget("one", text, namespace=text), widget("two"))
    assert await this.values() == {
        ("widget_info", text, "one", text): 1,
        ("widget_info", "default", "two", "red"): 1,
        ("widget_size", text, "one"): len(text.encode()),
        ("widget_size", "default", "two"): 3,
    }


async def test_text_that_no_encoding_has_is_shown_as_well_as_it_can_be() -> None:
    assert ("widget_info", "default", "one", "?") in await Widgets(widget("one", "\ud800")).values()


async def test_a_long_text_is_cut_to_the_length_of_the_longest_name() -> None:
    assert ("widget_info", "default", "one", "x" * 253) in await Widgets(widget("one", "x" * 1_000_000)).values()


async def test_an_object_that_makes_no_sense_hides_no_other_and_is_told_of_once() -> None:
    this = Widgets(widget("broken"), widget("two"))
    for _ in range(2):
        assert {labels[2] for labels in await this.values()} == {"two"}
    assert this.asked == ["broken", "two"]


async def test_the_event_loop_goes_on_while_a_thousand_changed_objects_are_written() -> None:
    this = Widgets(*(widget(f"w{number}") for number in range(1000)))
    scrape = asyncio.create_task(this.gauges.exposition())
    turns = 0
    while not scrape.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 30


async def test_only_the_process_that_leads_shows_them() -> None:
    this, widgets = bench(), Widgets(widget("one"))
    this.elected_at_once = False
    this.manager.add_gauges(widgets.gauges)

    async def shown() -> bool:
        return b"widget_size" in await this.metrics.exposition()

    async with this.running():
        assert not await shown()
        this.election.lead()
        await asyncio.sleep(0)
        assert await shown()
        this.election.lose()
        await asyncio.sleep(0)
        assert not await shown()


async def test_nothing_is_kept_by_a_process_that_leads_no_more() -> None:
    this = Widgets(widget("one"))
    await this.values()
    this.gauges.forget()
    await this.values()
    assert this.asked == ["one", "one"]
