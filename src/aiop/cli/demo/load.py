"""The demo's load: requests of many sentences each, at a rate that can be changed, every answer checked and counted."""

import asyncio
from typing import Any

import aiohttp
import msgspec

_SENTENCES = (
    "The coffee was hot and the people were friendly.",
    "I waited for an hour and nobody came.",
    "Not bad at all, we will come back!",
    "It stopped working after two days.",
)
# So many in one request that a server has something to do, and this process little.
SENTENCES_A_REQUEST = 100
# Beyond this many at a time it waits for answers: a slow machine is not buried.
_MOST_UNDER_WAY = 16
# Far above what an answer takes; one that takes longer counts as failed.
_ANSWER_SECONDS = 20.0


class Load:
    """``run`` it as a task; nothing is sent while ``rate`` (requests a second) is zero.

    ``answered`` and ``failed`` only grow; ``under_way`` are the requests that are sent and not counted yet. A request
    has failed if the answer is not 200 with a prediction for each sentence, for whatever reason; ``first_failure`` says
    what came instead.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        texts = [_SENTENCES[number % len(_SENTENCES)] for number in range(SENTENCES_A_REQUEST)]
        self._body = msgspec.json.encode({"text": texts})
        self._changed = asyncio.Event()
        self._rate = 0.0
        self.answered = 0
        self.failed = 0
        self.under_way = 0
        self.first_failure = ""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = rate
        self._changed.set()

    async def run(self) -> None:
        """Send until cancelled; what is under way then is not counted."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        places = asyncio.Semaphore(_MOST_UNDER_WAY)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while True:
                if not self._rate:
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                await places.acquire()
                self.under_way += 1
                request = group.create_task(self._count(session))
                request.add_done_callback(lambda _: self._over(places))
                await asyncio.sleep(1.0 / self._rate)

    def _over(self, places: asyncio.Semaphore) -> None:
        self.under_way -= 1
        places.release()

    async def _count(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.post(self._url, data=self._body) as response:
                fault = _fault(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            fault = repr(error)
        if fault:
            self.failed += 1
            self.first_failure = self.first_failure or fault
        else:
            self.answered += 1


def _fault(status: int, body: bytes) -> str:
    """What is wrong with an answer; empty if nothing is."""
    try:
        answer: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        answer = None
    predictions = answer.get("predictions") if isinstance(answer, dict) else None
    right = isinstance(predictions, list) and len(predictions) == SENTENCES_A_REQUEST
    return "" if status == 200 and right else f"{status}: {body[:200].decode(errors='replace')}"  # noqa: PLR2004 - OK
