"""`aiop manager`: the operator's process. Options in, controllers added, and then it runs."""

import argparse

from aiop.cli.options import address, class_name, count, gateway, labels, metric, namespace, period, resources
from aiop.controllers.serving.exposure.ways import DefaultWays
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.setup import setup_serving
from aiop.runtime.manager.process import ProcessOptions, run_process

LEASE_NAME = "aiop-manager"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The operator's options; the chart sets them."""
    parser.add_argument("--kubeconfig", help="a kubeconfig; default: the pod's ServiceAccount, else $KUBECONFIG")
    parser.add_argument("--context", help="a context of the kubeconfig; default: its current one")
    parser.add_argument(
        "--watch-namespace",
        type=namespace,
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="see to this namespace alone, or to each of several if repeated; default: to all",
    )
    parser.add_argument("--model-store", default="", help="where models lie that name no modelUri: pvc://claim, s3://…")
    parser.add_argument("--fetch-image", default=ServingSettings().fetch_image, help="the image that fetches models")
    parser.add_argument(
        "--fetch-resources", type=resources, default={}, help="its resources as JSON; default: what the server may use"
    )
    parser.add_argument("--mlflow-tracking-uri", default="", help="the MLflow registry of models:/ URIs")
    parser.add_argument(
        "--gpu-metric",
        type=metric,
        default=ServingSettings().gpu_metric,
        help="the metric of pods that GPU targets are measured by, in percent",
    )
    parser.add_argument(
        "--gpu-metric-mig",
        type=metric,
        default=ServingSettings().gpu_metric_mig,
        help="that of pods with a slice of a GPU, as a ratio of 0 to 1",
    )
    parser.add_argument(
        "--gpu-metric-seconds",
        type=period,
        default=ServingSettings().gpu_metric_seconds,
        help="how often it is looked whether they are served; not at all while no workload has a GPU target",
    )
    parser.add_argument(
        "--ingress-class", type=class_name, default="", help="the IngressClass of workloads that name none"
    )
    parser.add_argument(
        "--gateway",
        type=gateway,
        metavar="NAMESPACE/NAME",
        help="the Gateway of workloads that set neither ingress nor gateway, where the Gateway API is served",
    )
    parser.add_argument(
        "--no-monitors", action="store_true", help="make no ServiceMonitors or PodMonitors of workloads"
    )
    parser.add_argument(
        "--monitor-labels",
        type=labels,
        default={},
        metavar="KEY=VALUE,…",
        help="labels of these monitors, by which Prometheus selects them",
    )
    parser.add_argument("--workers", type=count, default=4, help="passes at a time")
    parser.add_argument(
        "--health-address", type=address, default="0.0.0.0:8081", help="/healthz and /readyz; empty: none"
    )
    parser.add_argument("--metrics-address", type=address, default="0.0.0.0:8080", help="/metrics; empty: none")
    parser.add_argument("--lease-namespace", help="the Lease's namespace; default: the pod's own, else default")
    parser.add_argument("--lease-name", default=LEASE_NAME, help="the Lease; one for each set of namespaces")
    parser.add_argument(
        "--pod-uid",
        default="",
        help="the UID of the pod that this runs in: once restarted there it need not wait for the end of its own lease",
    )
    parser.add_argument("--no-leader-election", action="store_true", help="lead without a Lease (one process only)")
    parser.add_argument(
        "--log-level", default="info", choices=["debug", "info", "warning", "error"], help="what is worth a line"
    )
    parser.add_argument("--log-format", default="json", choices=["json", "console"], help="for machines or for people")


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM; 0 after a clean stop, 1 if a part died, an address is taken or no API server is found."""
    process = ProcessOptions(
        name="aiop",
        lease="" if options.no_leader_election else options.lease_name,
        lease_namespace=options.lease_namespace or "",
        kubeconfig=options.kubeconfig,
        context=options.context,
        health_address=options.health_address,
        metrics_address=options.metrics_address,
        log_level=options.log_level,
        log_format=options.log_format,
        namespaces=tuple(dict.fromkeys(options.watch_namespace)),
        pod_uid=options.pod_uid,
    )
    settings = ServingSettings(
        model_store=options.model_store,
        fetch_image=options.fetch_image,
        fetch_resources=options.fetch_resources,
        mlflow_tracking_uri=options.mlflow_tracking_uri,
        gpu_metric=options.gpu_metric,
        gpu_metric_mig=options.gpu_metric_mig,
        gpu_metric_seconds=options.gpu_metric_seconds,
        ways=DefaultWays(options.ingress_class, options.gateway),
        monitors=not options.no_monitors,
        monitor_labels=options.monitor_labels,
        workers=options.workers,
    )
    return run_process(process, lambda manager, tools: setup_serving(manager, tools, settings))
