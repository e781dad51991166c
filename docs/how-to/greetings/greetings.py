"""Keeps a ConfigMap for each Greeting. It finds the cluster by $KUBECONFIG, or as a pod by its ServiceAccount."""

import sys

import msgspec

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.conditions.condition import condition
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.controller.children import Child, ChildWriter, Outcome, Owner
from aiop.runtime.controller.controller import Result
from aiop.runtime.controller.mappers import own_key, owner_keys
from aiop.runtime.manager.manager import Manager
from aiop.runtime.manager.process import ProcessOptions, run_process
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.custom import decode_custom
from aiop.runtime.views.owned import decode_owned

NAME, LABEL = "greetings", "docs.example.com/greeting"
GREETINGS = Resource("docs.example.com", "v1", "Greeting", "greetings")


class Spec(msgspec.Struct):
    whom: str


class Greeter:
    def __init__(self, tools: Tools) -> None:
        self.clock = tools.clock
        self.greetings = tools.informer(GREETINGS, decode_custom)
        self.config_maps = tools.informer(CONFIGMAPS, decode_owned, label_selector=LABEL)
        self.children = ChildWriter(tools.client, self.config_maps, CONFIGMAPS, NAME)
        self.status = StatusWriter(tools.client, GREETINGS, NAME, written=self.greetings.written)

    async def reconcile(self, key: ObjectKey) -> Result:
        greeting = self.greetings.store.get(key)
        if greeting is not None and not greeting.metadata.deletion_timestamp:
            spec = msgspec.json.decode(greeting.spec, type=Spec)
            body = {"metadata": {"labels": {LABEL: "true"}}, "data": {"text": f"Hello, {spec.whom}!"}}
            owner = Owner(GREETINGS.api_version, GREETINGS.kind, key.name, greeting.metadata.uid)
            taken = await self.children.ensure(Child(CONFIGMAPS, key, body), owner) is Outcome.FOREIGN
            ready = condition("Ready", not taken, "NameTaken" if taken else "Greeted")
            await self.status.write_conditions(greeting, [ready], self.clock.now())
        return Result()


def setup(manager: Manager, tools: Tools) -> None:
    greeter = Greeter(tools)
    controller = tools.controller(NAME, greeter)
    controller.watches(greeter.greetings, own_key)
    controller.watches(greeter.config_maps, owner_keys(GREETINGS.group, GREETINGS.kind))
    manager.add_controller(controller)


if __name__ == "__main__":
    sys.exit(run_process(ProcessOptions(NAME, lease=NAME), setup))
