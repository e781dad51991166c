{{/* What the operator may do, one rule a line: no wildcard, no Secrets, no right to grant rights. A test runs the
     operator through all that it does and reads the API server's audit log: a verb that was not needed there has no
     place here. Whoever adds a rule adds to that story what it is for (test/support/rightsstory.py). */}}

{{/* Kinds in namespaces: by a ClusterRole, or with watchNamespaces by a Role in each of them. */}}
{{- define "aiop.rules.namespaced" -}}
- {apiGroups: [geartickler.com], resources: [aiworkloads], verbs: [list, watch]}
- {apiGroups: [geartickler.com], resources: [aiworkloads/status], verbs: [patch]}
# An ownerReference with blockOwnerDeletion asks for this right on the owner.
- {apiGroups: [geartickler.com], resources: [aiworkloads/finalizers], verbs: [update]}
# Children. A name that is taken is looked at (get): it may be our own child, or a stranger's object.
- {apiGroups: [apps], resources: [deployments, controllerrevisions], verbs: [get, list, watch, create, patch, delete]}
- {apiGroups: [""], resources: [services], verbs: [get, list, watch, create, patch, delete]}
- {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [get, list, watch, create, patch, delete]}
- {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [get, list, watch, create, patch, delete]}
- {apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [get, list, watch, create, patch]}
# Children of kinds that a cluster may have or not; the operator asks for them, to know.
- {apiGroups: [gateway.networking.k8s.io], resources: [httproutes], verbs: [get, list, watch, create, patch, delete]}
- {apiGroups: [traefik.io], resources: [middlewares], verbs: [get, list, watch, create, patch, delete]}
{{- if .Values.serving.monitoring.enabled }}
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, podmonitors]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
# Where a Gateway listens, for status.url.
- {apiGroups: [gateway.networking.k8s.io], resources: [gateways], verbs: [list, watch]}
# What became of them.
- {apiGroups: [""], resources: [pods], verbs: [list, watch]}
# Servers get other amounts of cpu and memory while they run; then the ReplicaSet makes new ones as the Deployment says.
- {apiGroups: [""], resources: [pods/resize], verbs: [patch]}
- {apiGroups: [apps], resources: [replicasets], verbs: [list, watch, patch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
- {apiGroups: [events.k8s.io], resources: [events], verbs: [create, patch]}
# Whether the GPU metric is served: one request for all pods of a namespace (the name in it is `*`, so the verb is get).
{{- with .Values.autoscaling }}
- {apiGroups: [custom.metrics.k8s.io], resources: ["pods/{{ .gpuMetric }}", "pods/{{ .gpuMetricMig }}"], verbs: [get]}
{{- end }}
{{- end -}}

{{/* Kinds in no namespace: always by a ClusterRole. */}}
{{- define "aiop.rules.cluster" -}}
# The default runtimes are made and renewed, never deleted.
- {apiGroups: [geartickler.com], resources: [servingruntimes], verbs: [list, watch, create, update]}
# Which controller serves an Ingress, and so how its paths are rewritten.
- {apiGroups: [networking.k8s.io], resources: [ingressclasses], verbs: [list, watch]}
{{- end -}}

{{/* In the release's own namespace. The name of a Lease that is yet to be created cannot be asked for. */}}
{{- define "aiop.rules.election" -}}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "aiop.leaseName" . | quote }}]
  verbs: [get, list, watch, update]
{{- end -}}

{{/* Operators of different namespaces may live in one, so each has a Lease of its own there. */}}
{{- define "aiop.leaseName" -}}
{{- if .Values.watchNamespaces }}{{ include "aiop.fullname" . }}{{ else }}aiop-manager{{ end -}}
{{- end -}}

{{- define "aiop.subjects" -}}
- kind: ServiceAccount
  name: {{ include "aiop.serviceAccount" . | quote }}
  namespace: {{ quote .Release.Namespace }}
{{- end -}}
