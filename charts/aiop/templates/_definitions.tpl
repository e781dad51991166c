{{/* Whether a CRD is rendered: (dict "root" $ "name" NAME "schema" MARK); "true" or nothing.

     Helm refuses to touch an object of another release. A CRD outlives its release, so the next release, under another
     name, would be refused for nothing: while the schema in the cluster is the very one that this chart brings, the
     CRD is left where it is. When the schemas differ it is rendered, and Helm then says whose it is: an old schema
     never stays unnoticed, and --take-ownership hands it over. Without a cluster (helm template) all are rendered. */}}
{{- define "aiop.definition.rendered" -}}
{{- if .root.Values.crds.install -}}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .name -}}
{{- $mark := get (include "aiop.annotations" $found | fromYaml) "geartickler.com/schema" -}}
{{- if or (ne $mark .schema) (include "aiop.ours" (dict "root" .root "object" $found)) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "aiop.definition.metadata" -}}
{{- $annotations := dict "geartickler.com/schema" .schema -}}
{{- if .root.Values.crds.keep -}}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" -}}
{{- end -}}
{{- include "aiop.metadata" (dict "root" .root "name" .name "clusterScoped" true "annotations" $annotations) -}}
{{- end -}}

{{/* The annotations of an object that `lookup` has found; none if it has found nothing. */}}
{{- define "aiop.annotations" -}}
{{- dig "metadata" "annotations" (dict) (default (dict) .) | toYaml -}}
{{- end -}}

{{/* Whether an object in the cluster belongs to this release: (dict "root" $ "object" OBJECT); "true" or nothing. */}}
{{- define "aiop.ours" -}}
{{- $annotations := include "aiop.annotations" .object | fromYaml -}}
{{- $name := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- if and (eq $name .root.Release.Name) (eq $namespace .root.Release.Namespace) -}}
true
{{- end -}}
{{- end -}}

{{/* To whom an object in the cluster belongs, in words. */}}
{{- define "aiop.owner" -}}
{{- $annotations := include "aiop.annotations" . | fromYaml -}}
{{- with get $annotations "meta.helm.sh/release-name" -}}
the release {{ . }} of the namespace {{ get $annotations "meta.helm.sh/release-namespace" }}
{{- else -}}
an operator that was not installed by Helm
{{- end -}}
{{- end -}}
