"""How a workload is reached from outside: the path, an Ingress, or a Gateway's HTTPRoute."""

from typing import Annotated

from pydantic import Field

from aiop.api.common import DnsName, Stored

# Percent signs stand for what is no part of a path's structure: not for '.', '/', '\\', '%' or a control character,
# which some proxy on the way reads as a step to another path.
_ENCODED = r"%([346-9A-Fa-f][0-9A-Fa-f]|2[0-46-9A-Da-d]|5[0-9ABD-Fabd-f])"
ENDPOINT_PATTERN = rf"^/([A-Za-z0-9._~/-]|{_ENCODED})*$"
EndpointPath = Annotated[str, Field(min_length=1, max_length=512, pattern=ENDPOINT_PATTERN)]
HostName = Annotated[
    str,
    Field(max_length=253, pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
]


class Ingress(Stored):
    """How the workload is exposed outside the cluster by an Ingress."""

    host: HostName | None = Field(default=None, description="The host name to answer for; every host if unset.")
    class_name: DnsName | None = Field(
        default=None, description="The IngressClass; the operator's default if unset, else the cluster's."
    )
    tls_secret_name: DnsName | None = Field(
        default=None, description="A Secret of the same namespace with the host's certificate."
    )


class Gateway(Stored):
    """The Gateway that an HTTPRoute attaches to."""

    name: DnsName = Field(description="The Gateway's name.")
    namespace: Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] | None = Field(
        default=None,
        description="Its namespace, the workload's own if unset; it must admit routes from here (allowedRoutes).",
    )
    section_name: DnsName | None = Field(default=None, description="One of its listeners; every one if unset.")
    hostnames: Annotated[list[HostName], Field(max_length=16)] = Field(
        default_factory=list, description="The host names to answer for; those of the listeners if none is named."
    )
