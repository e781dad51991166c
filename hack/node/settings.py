"""The arguments and settings files of the programs that run beside the control plane."""

import json
from pathlib import Path

from hack.node import filesystem
from hack.node.identities import Certificates
from hack.node.network import POD_NETWORK
from hack.node.place import Place

DOMAIN = "cluster.local"
METRICS_PORT = 4443
_KUBELET_HEALTH_PORT = 10248


def kubelet(place: Place, certificates: Certificates, kubeconfig: Path) -> list[str]:
    """The arguments of kubelet, its settings in a file."""
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": place.address,
        "healthzPort": _KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(certificates.authority)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{place.containerd}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{place.name}",
        "cgroupsPerQOS": True,  # without it an in-place resize crashes the kubelet
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        # Without it kubelet measures no file system at all, and evicts nothing.
        "localStorageCapacityIsolation": filesystem.measured(place.state),
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%"},
        # What was loaded cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "clusterDNS": [place.address],
        "clusterDomain": DOMAIN,
        "resolvConf": "",
        "podLogsDir": str(place.state / "podlogs"),
        "volumePluginDir": str(place.state / "volumeplugins"),
    }
    path = place.state / "kubelet.json"
    path.write_text(json.dumps(settings))
    return [
        f"--config={path}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={place.state / 'kubelet'}",
        f"--cert-dir={place.state / 'kubelet-certificates'}",
        f"--hostname-override={place.name}",
        f"--node-ip={place.address}",
    ]


def proxy(place: Place, kubeconfig: Path) -> list[str]:
    """kube-proxy's arguments; what it would set of the kernel is left as it is."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={place.name}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={POD_NETWORK}",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
        "--iptables-localhost-nodeports=false",
    ]


def dns(place: Place, kubeconfig: Path) -> list[str]:
    """CoreDNS's arguments, its settings in a file."""
    path = place.state / "Corefile"
    path.write_text(f""".:53 {{
    bind {place.address}
    errors
    health 127.0.0.1:8080
    ready 127.0.0.1:8181
    cache 5
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
    }}
}}
""")
    return ["-conf", str(path)]


def metrics_server(place: Place, kubeconfig: Path) -> list[str]:
    """metrics-server's arguments; a reading every ten seconds is the quickest that it takes."""
    return [
        *(f"--{name}={kubeconfig}" for name in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")),
        f"--bind-address={place.address}",
        f"--secure-port={METRICS_PORT}",
        f"--cert-dir={place.state / 'metrics-certificates'}",
        "--kubelet-insecure-tls",
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",
        "--kubelet-request-timeout=5s",  # less than the resolution, else it refuses to start
    ]


def traefik(place: Place) -> list[str]:
    """Traefik's arguments: Ingresses, its own Middlewares and the Gateway API, at port 80 of the node."""
    return [
        f"--entrypoints.web.address={place.address}:80",
        "--entrypoints.traefik.address=127.0.0.1:8082",
        "--ping=true",
        "--providers.kubernetesingress=true",
        f"--providers.kubernetesingress.ingressendpoint.ip={place.address}",
        "--providers.kubernetescrd=true",
        "--providers.kubernetesgateway=true",
        f"--providers.kubernetesgateway.statusaddress.ip={place.address}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
    ]
