"""The kinds that can be explained; a new one adds its line here and its own links of the chain."""

from collections.abc import Awaitable, Callable, Mapping

from aiop.api.resources import AIWORKLOADS
from aiop.cli.explain.explanation import Explanation
from aiop.cli.explain.reading import Reader
from aiop.cli.explain.workload.explain import explain_workload
from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey, Resource

Explain = Callable[[Client, Reader, ObjectKey, str], Awaitable[Explanation]]

# Each reads what it needs and explains it; the last argument is the operator's namespace, as far as one is known.
EXPLAINED: Mapping[Resource, Explain] = {AIWORKLOADS: explain_workload}
