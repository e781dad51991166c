"""An informer whose server fails, goes back in time or talks nonsense."""

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import Expired
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.informerbench import Bench, running
from support.listwatch import ScriptedSource, added, modified, page, widget
from support.running import run_informer


async def test_an_object_that_makes_no_sense_is_skipped_and_the_stream_goes_on() -> None:
    nonsense = b'{"metadata":{"name":"bad","resourceVersion":"8","labels":7}}'
    async with running(Bench(ScriptedSource([page(5, nonsense, widget("good", 1))]))) as bench:
        assert bench.names() == ["good"]
        bench.source.say(modified(nonsense), added(b"{"), added(b'{"kind":"Status","metadata":{}}'))
        bench.source.say(WatchEvent("BOOKMARK", b"["), WatchEvent("FUTURE", widget("future", 6)), added(widget("a", 9)))
        await settle()
        assert bench.names() == ["a", "good"]
        assert bench.metrics.skips == 4


async def test_the_resume_point_passes_an_object_that_makes_no_sense() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(added(b'{"metadata":{"name":"bad","resourceVersion":"8","labels":7}}'))
        bench.source.end()
        await settle()
        assert bench.source.calls[-1] == "watch 8"


async def test_an_object_that_became_nonsense_keeps_its_last_good_state() -> None:
    nonsense = b'{"metadata":{"name":"a","namespace":"default","uid":"uid-a","resourceVersion":"8","labels":7}}'
    async with running(Bench(ScriptedSource([page(5, widget("a", 1))], [page(9, nonsense)]))) as bench:
        bench.source.say(modified(nonsense))
        bench.source.fail(Expired(410))
        await settle()
        assert bench.source.calls[-1] == "watch 9"
        assert bench.version("a") == "1"
        assert bench.told == ["ADDED a >1 initial"]


async def test_the_end_of_an_object_that_became_nonsense_is_told() -> None:
    nonsense = b'{"metadata":{"name":"%s","namespace":"default","uid":"%s","resourceVersion":"8","labels":7}}'
    async with running(Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))) as bench:
        bench.source.say(
            WatchEvent("DELETED", nonsense % (b"a", b"uid-a")), WatchEvent("MODIFIED", nonsense % (b"b", b"other"))
        )
        await settle()
        assert bench.names() == []
        assert bench.told[2:] == ["DELETED a 1>", "DELETED b 2>"]


async def test_json_too_deep_to_read_is_skipped() -> None:
    deep = b'{"metadata":{"name":"deep","resourceVersion":"6"},"spec":' + b"[" * 5000 + b"]" * 5000 + b"}"
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(added(deep), added(widget("a", 7)))
        await settle()
        assert bench.names() == ["a"]


async def test_an_index_function_that_raises_hurts_neither_the_object_nor_the_others() -> None:
    def first_letter_of_label(view: CustomObject) -> list[str]:
        return [view.metadata.labels["l"][0]]

    objects = [widget("bad", 1), widget("good", 2, labels={"l": "x"})]
    source = ScriptedSource([page(5, *objects)])
    indexes = {"letter": first_letter_of_label}
    informer = StreamInformer("widgets", source, decode_custom, clock=FakeClock(), indexes=indexes)
    async with run_informer(informer):
        assert len(informer.store) == 2
        assert [view.metadata.name for view in informer.store.by_index("letter", "x")] == ["good"]
