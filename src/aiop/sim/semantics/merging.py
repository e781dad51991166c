"""How an applied configuration joins the live object: parts are merged, leaves replaced, orders reconciled."""

from collections.abc import Iterator
from typing import Any

from aiop.sim.semantics.fieldset import element_of, shape_of
from aiop.sim.semantics.typeschema import TypeSchema


def merged(live: Any, config: Any, schema: TypeSchema | None) -> Any:
    """``live`` with everything that ``config`` says; neither is changed."""
    shape = shape_of(config, schema)
    if shape != shape_of(live, schema) or shape == "leaf" or not (live or config):
        return config
    if shape == "list":
        assert schema is not None  # noqa: S101 - what has no schema is no list with parts
        return _merged_list(live, config, schema)
    result = dict(live)
    for name, value in config.items():
        field = schema.field(name) if schema is not None else None
        result[name] = merged(live[name], value, field) if name in live else value
    return result


def _merged_list(live: list[Any], config: list[Any], schema: TypeSchema) -> list[Any]:
    known = {element_of(item, schema): item for item in live}
    wanted = {element_of(item, schema): item for item in config}
    return [
        merged(known[element], wanted[element], schema.items)
        if element in known and element in wanted
        else wanted.get(element, known.get(element))
        for element in _ordered(list(known), list(wanted))
    ]


def _ordered(live: list[str], config: list[str]) -> Iterator[str]:
    """The configuration's order rules; items that only the live list has stay behind what stood before them."""
    shared = set(live) & set(config)
    place = {element: number for number, element in enumerate(live)}
    waiting = [element for element in live if element not in shared]
    upcoming = [element for element in config if element in shared]
    for element in config:
        if element in shared:
            upcoming.pop(0)
            while waiting and place[waiting[0]] < place[element]:
                yield waiting.pop(0)
            yield element
            continue
        # An item that is new comes after the live-only items that stand before the next shared one.
        limit = place[upcoming[0]] if upcoming else len(live)
        while waiting and place[waiting[0]] < limit:
            yield waiting.pop(0)
        yield element
    yield from waiting
