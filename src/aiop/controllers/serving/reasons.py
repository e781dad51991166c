"""Every reason that a condition of an AIWorkload can have: the one source of the reference page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """``conditions`` are where it stands, ``meaning`` what it says, ``fix`` what a person can do (may be nothing)."""

    name: str
    conditions: tuple[str, ...]
    meaning: str
    fix: str


# What cannot be served as it stands, and what something in the cluster stands in the way of.
_REFUSED = ("Accepted", "Progressing", "Ready", "Stalled")
_CLAIMED = ("Accepted", "EndpointReady", "Ready", "Stalled")
_OUTSIDE = ("EndpointReady",)
_HINDERED = ("Degraded", "Progressing", "Ready", "Stalled")

REASONS = (
    Reason("Accepted", ("Accepted",), "The spec makes sense and everything that it names was found.", ""),
    Reason("InvalidSpec", _REFUSED, "A field makes no sense; the message names it.",
           "Correct the field. Until then the last good revision goes on serving."),
    Reason("NoServingRuntime", _REFUSED, "No enabled ServingRuntime serves the framework.",
           "Use a framework that the message lists, name a runtime, or give an image of your own."),
    Reason("NoModelSource", _REFUSED, "Nothing says where the model's files lie.",
           "Set spec.modelUri, the runtime's modelStore, or the chart's models.store."),
    Reason("NoImage", _REFUSED, "The runtime has no image of its own and the spec names none.",
           "Set spec.image."),
    Reason("UnknownPort", _REFUSED, "A probe asks a port that the server does not have.",
           "Name one of the ports that the message lists, or add the port to spec.ports."),
    Reason("ConflictingGpu", _REFUSED, "spec.gpu and spec.resources ask for different kinds of GPU.",
           "Leave one of them out."),
    Reason("InvalidGpuMemory", _REFUSED, "spec.gpu.memory is far from any GPU's memory.",
           "Give it as it is sold, such as 24Gi or 80Gi."),
    Reason("PathTaken", _CLAIMED, "The path outside belongs to an older workload; inside the cluster this one serves.",
           "Set another inferenceEndpoint, host, class or Gateway. It gets the path when the other one lets go of it."),
    Reason("HostTaken", _CLAIMED, "The host belongs to another namespace; inside the cluster this workload serves.",
           "Set a host of your own, in spec.ingress.host or spec.gateway.hostnames."),
    Reason("NameConflict", _HINDERED, "An object that is not ours has the name of a child.",
           "Rename or delete that object; it is never adopted or overwritten."),
    Reason("ChildRefused", _HINDERED,
           "The API server forbids an object that this workload needs: a quota, a policy, or a missing right.",
           "The message is its own: raise the quota, or change what the policy or the role allows."),
    Reason("RollingOut", ("Progressing", "Ready", "Reconciling"), "The wanted revision does not serve fully yet.", ""),
    Reason("RollingOutInPlace", ("Progressing",),
           "There is no room for an extra server, so old ones give way, one at a time; the message has the scheduler's "
           "or the quota's words.", ""),
    Reason("LastServerStays", ("Progressing",),
           "There is no room for an extra server, and the only old one does not give way by itself.",
           "Set spec.rollout.maxUnavailable to 1 to let it go first (nothing serves meanwhile), or make room."),
    Reason("NoneMayGiveWay", ("Progressing",),
           "There is no room for an extra server, and spec.rollout.maxUnavailable 0 lets no old one go first.",
           "Set it to 1, or make room."),
    Reason("NeedsMoreRoom", ("Progressing",),
           "There is no room for an extra server, and an old one's place would not do: the new ones ask for more of "
           "what is short, or for other nodes.",
           "Make room, or set spec.rollout.maxUnavailable."),
    Reason("RolloutComplete", ("Progressing",), "The wanted revision serves alone, in full number.", ""),
    Reason("ProgressDeadlineExceeded", ("Progressing", "Ready", "Stalled"),
           "The wanted revision made no progress for spec.rollout.progressDeadlineSeconds; the message says what "
           "blocks it.",
           "Remove the cause or set the version back; the last good revision goes on serving."),
    Reason("EndpointsReady", ("Available", "EndpointReady"), "Ready servers stand behind the Service.", ""),
    Reason("NotExposed", _OUTSIDE, "The Ingress or HTTPRoute is not there yet, or could not be made.",
           "If this lasts, Ready says why."),
    Reason("PathNotRewritten", _OUTSIDE,
           "The IngressClass is not known to rewrite paths: inferenceEndpoint reaches the server as it is, and clients "
           "use the server's own route.",
           "Use the path in status.url. For a path of your own take a class that rewrites, or a Gateway."),
    Reason("NoWorkingPath", _OUTSIDE,
           "The IngressClass is not known to rewrite paths, and another workload exposes the same route of its server.",
           "Set spec.ingress.host to a host of its own, or take a class that rewrites, or a Gateway."),
    Reason("GatewayAPIMissing", _OUTSIDE, "spec.gateway is set, and the cluster does not serve the Gateway API.",
           "Install the Gateway API's CRDs and a controller, or set spec.ingress. Nothing needs to be restarted."),
    Reason("GatewayPending", _OUTSIDE, "No controller has said yet what it makes of the HTTPRoute as it is now.",
           "If this lasts, see whether the Gateway of that name exists and whether its controller runs."),
    Reason("NotAllowedByListeners", _OUTSIDE, "The Gateway admits no routes of this namespace.",
           "Its owner admits them by allowedRoutes of a listener."),
    Reason("NoMatchingListenerHostname", _OUTSIDE, "No listener of the Gateway answers for the hostnames.",
           "Set spec.gateway.hostnames to hosts that a listener answers for."),
    Reason("NoMatchingParent", _OUTSIDE, "The Gateway has no such listener.", "Correct spec.gateway.sectionName."),
    Reason("RouteRefused", _OUTSIDE, "The Gateway does not take the HTTPRoute, for another reason.",
           "The message is its controller's own."),
    Reason("RouteUnresolved", _OUTSIDE, "The Gateway takes the HTTPRoute and cannot lead on to the servers.",
           "The message is its controller's own."),
    Reason("NoReadyEndpoint", ("Available", "EndpointReady", "Ready"), "No ready server stands behind the Service.",
           "Degraded says what blocks the servers."),
    Reason("ScaledToZero", ("Available", "EndpointReady", "Ready"), "spec.replicas is 0, so nothing serves.",
           "Raise spec.replicas."),
    Reason("Serving", ("Ready",), "This generation is fully rolled out and serves.", ""),
    Reason("PodsNotReady", ("Degraded", "Ready"), "Servers are starting or not ready; nothing worse is known.",
           "A readiness probe that keeps failing is told in the pod's events."),
    Reason("Unschedulable", ("Degraded", "Ready"), "Servers find no node; the message is the scheduler's own.",
           "Free or add what is short, or ask for less."),
    Reason("ImagePullFailed", ("Degraded", "Ready"), "An image cannot be pulled.",
           "Check the image's name and tag and the registry; the kubelet goes on trying."),
    Reason("CrashLoop", ("Degraded", "Ready"), "A container ends again and again; the message has exit code and words.",
           "Read the message; `kubectl logs --previous` has more."),
    Reason("ModelFetchFailed", ("Degraded", "Ready"), "The init container that fetches the model fails.",
           "Check modelUri and who may read it."),
    Reason("ContainerConfigError", ("Degraded", "Ready"),
           "A container cannot be made as asked: an image that only runs as root, a missing volume key.",
           "Use an image that runs as a numeric non-root user."),
    Reason("PodsRefused", ("Degraded", "Ready"), "The API server refuses the pods: quota, a policy, a missing class.",
           "The message is its own: raise the quota or change what the policy names."),
    Reason("Healthy", ("Degraded",), "Nothing is wrong.", ""),
    Reason("AutoscalingOff", ("ScalingActive",), "spec.autoscaling is not enabled: spec.replicas counts.", ""),
    Reason("AutoscalerActive", ("ScalingActive",), "The autoscaler sets the number of servers.", ""),
    Reason("AtMaximum", ("ScalingActive",), "The load asks for more servers than maxReplicas.",
           "Raise spec.autoscaling.maxReplicas, or make each server do more."),
    Reason("AutoscalerBlocked", ("ScalingActive",), "The autoscaler cannot read or set the number of servers.",
           "The message is its own."),
    Reason("AutoscalerWaiting", ("ScalingActive",), "The autoscaler has not decided yet, or cannot read its metric.",
           "The message is its own; CPU and memory need the cluster's metrics API (metrics-server)."),
    Reason("NoUsableMetric", ("ScalingActive",), "None of the targets can be measured here, so nothing is scaled.",
           "The message says for each target what it lacks. CPU and memory need a request or limit; a GPU target needs "
           "an adapter that serves the GPU metric on custom.metrics.k8s.io."),
)  # fmt: skip
