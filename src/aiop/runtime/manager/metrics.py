"""Prometheus metrics under controller-runtime's names and labels, so that existing dashboards and alerts work.

Whatever can be known beforehand shows from the start as 0: a counter that is first seen at 1 has no rate.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from aiop.runtime.controller.controller import INITIAL_PRIORITY

# controller-runtime's buckets for a pass, client-go's for a queue: powers of ten from 10 ns.
_RECONCILE_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9),
    *(1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0),
    *(10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0),
)
_QUEUE_BUCKETS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)
# "requeue" is a pass that wants another one soon, without a time.
_RESULTS = ("success", "error", "requeue", "requeue_after")
# The classes that a controller's queue always has.
_PRIORITIES = (0, INITIAL_PRIORITY)


class Metrics:
    """Everything that the runtime counts, in a registry of its own; an operator adds its own metrics to ``registry``.

    What would be too slow there, and what shows only at times, is given to `add` as text.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they are a second series beside each counter
        self.registry = CollectorRegistry()
        self._texts: list[Callable[[], Awaitable[bytes]]] = []
        self.controllers = _ControllerMetrics(self.registry)
        self.queues = _QueueMetrics(self.registry)
        self.informers = _InformerMetrics(self.registry)
        self.write_lane = _WriteLaneMetrics(self.registry)
        self._requests = Counter(
            "rest_client_requests", "Requests to the API server.", ["code", "method", "host"], registry=self.registry
        )
        self._leads = Gauge(
            "leader_election_master_status", "1 while this process leads.", ["name"], registry=self.registry
        )

    def requested(self, method: str, host: str, status: int) -> None:
        """The API server at that URL answered a request."""
        self._requests.labels(code=str(status), method=method, host=urlsplit(host).netloc or host).inc()

    def leads(self, lease: str, leading: bool) -> None:
        """This process holds the lease, or not."""
        self._leads.labels(name=lease).set(1 if leading else 0)

    def add(self, text: Callable[[], Awaitable[bytes]]) -> None:
        """Show ``await text()`` at each scrape too: whole families of text format, under names of its own."""
        self._texts.append(text)

    async def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return b"".join([generate_latest(self.registry), *[await text() for text in self._texts]])


class _ControllerMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        name, one = "controller_runtime_", ["controller"]
        self._total = Counter(name + "reconcile", "Passes by result.", [*one, "result"], registry=registry)
        self._errors = Counter(name + "reconcile_errors", "Passes that failed.", one, registry=registry)
        self._terminal = Counter(name + "terminal_reconcile_errors", "Passes failed for good.", one, registry=registry)
        self._panics = Counter(name + "reconcile_panics", "Passes that panicked.", one, registry=registry)
        self._timeouts = Counter(name + "reconcile_timeouts", "Passes that timed out.", one, registry=registry)
        self._seconds = Histogram(
            name + "reconcile_time_seconds", "Seconds a pass.", one, registry=registry, buckets=_RECONCILE_BUCKETS
        )
        self._most = Gauge(name + "max_concurrent_reconciles", "Workers.", one, registry=registry)
        self._active = Gauge(name + "active_workers", "Workers that are in a pass.", one, registry=registry)

    def started(self, controller: str, workers: int) -> None:
        for result in _RESULTS:
            self._total.labels(controller, result)
        for each in (self._errors, self._terminal, self._panics, self._timeouts, self._seconds, self._active):
            each.labels(controller)
        self._most.labels(controller).set(workers)

    def busy(self, controller: str, delta: int) -> None:
        self._active.labels(controller).inc(delta)

    def reconciled(self, controller: str, result: str, seconds: float) -> None:
        failed = result not in {"success", "requeue", "requeue_after"}
        self._total.labels(controller, "error" if failed else result).inc()
        self._seconds.labels(controller).observe(seconds)
        if failed:
            self._errors.labels(controller).inc()
        kinds = {"terminal": self._terminal, "panic": self._panics, "timeout": self._timeouts}
        if result in kinds:
            kinds[result].labels(controller).inc()


class _QueueMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        one = ["name", "controller"]
        self._depth = Gauge("workqueue_depth", "Keys that are due.", [*one, "priority"], registry=registry)
        self._adds = Counter("workqueue_adds", "Keys added.", one, registry=registry)
        self._retries = Counter("workqueue_retries", "Keys added by back-off.", one, registry=registry)
        self._unfinished = Gauge(
            "workqueue_unfinished_work_seconds", "Seconds of work in progress, all told.", one, registry=registry
        )
        self._longest = Gauge(
            "workqueue_longest_running_processor_seconds", "Seconds of the longest work.", one, registry=registry
        )
        self._waited = Histogram(
            "workqueue_queue_duration_seconds", "Seconds in the queue.", one, registry=registry, buckets=_QUEUE_BUCKETS
        )
        self._worked = Histogram(
            "workqueue_work_duration_seconds", "Seconds in work.", one, registry=registry, buckets=_QUEUE_BUCKETS
        )

    def watch(self, queue: str, seconds_in_work: Callable[[], list[float]]) -> None:
        """Show the queue from the start, and ask at each scrape how long its work has taken so far."""
        for each in (self._adds, self._retries, self._waited, self._worked):
            each.labels(queue, queue)
        for priority in _PRIORITIES:
            self._depth.labels(queue, queue, str(priority))
        self._unfinished.labels(queue, queue).set_function(lambda: sum(seconds_in_work()))
        self._longest.labels(queue, queue).set_function(lambda: max(seconds_in_work(), default=0.0))

    def added(self, queue: str) -> None:
        self._adds.labels(queue, queue).inc()

    def retried(self, queue: str) -> None:
        self._retries.labels(queue, queue).inc()

    def depth(self, queue: str, priority: int, depth: int) -> None:
        self._depth.labels(queue, queue, str(priority)).set(depth)

    def waited(self, queue: str, seconds: float) -> None:
        self._waited.labels(queue, queue).observe(seconds)

    def worked(self, queue: str, seconds: float) -> None:
        self._worked.labels(queue, queue).observe(seconds)


class _InformerMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        name, one = "informer_", ["informer"]
        self._relists = Counter(name + "lists", "Lists that replaced the cache.", one, registry=registry)
        self._failures = Counter(name + "failures", "Lists, watches or handlers that failed.", one, registry=registry)
        self._skipped = Counter(name + "skipped_objects", "Objects that made no sense.", one, registry=registry)
        self._active = Gauge(
            name + "last_activity_timestamp_seconds", "When the stream last spoke.", one, registry=registry
        )
        self._objects = Gauge(name + "cached_objects", "Objects in the cache.", one, registry=registry)
        # These two are set at each line of a watch, and finding a series by its label takes longer than setting it.
        self._of_each_line: dict[str, tuple[Gauge, Gauge]] = {}
        self._synced = Gauge(name + "synced", "1 once the first list is in the cache.", one, registry=registry)

    def started(self, informer: str) -> None:
        for each in (self._relists, self._failures, self._skipped, self._active, self._objects, self._synced):
            each.labels(informer)

    def synced(self, informer: str, synced: bool) -> None:
        self._synced.labels(informer).set(1 if synced else 0)

    def relisted(self, informer: str) -> None:
        self._relists.labels(informer).inc()

    def failed(self, informer: str) -> None:
        self._failures.labels(informer).inc()

    def skipped(self, informer: str) -> None:
        self._skipped.labels(informer).inc()

    def active(self, informer: str, moment: float, objects: int) -> None:
        active, cached = self._of_each_line.get(informer) or self._remember(informer)
        active.set(moment)
        cached.set(objects)

    def _remember(self, informer: str) -> tuple[Gauge, Gauge]:
        gauges = self._active.labels(informer), self._objects.labels(informer)
        self._of_each_line[informer] = gauges
        return gauges


class _WriteLaneMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        name = "write_lane_"
        self._in_flight = Gauge(name + "in_flight", "Writes under way.", registry=registry)
        self._limit = Gauge(name + "limit", "Writes that may be under way.", registry=registry)
        self._waiting = Gauge(name + "waiting", "Writes that wait for their turn.", registry=registry)
        self._waited = Histogram(
            name + "wait_seconds", "Seconds until a write's turn.", registry=registry, buckets=_RECONCILE_BUCKETS
        )

    def changed(self, in_flight: int, limit: int, waiting: int) -> None:
        self._in_flight.set(in_flight)
        self._limit.set(limit)
        self._waiting.set(waiting)

    def waited(self, seconds: float) -> None:
        self._waited.observe(seconds)
