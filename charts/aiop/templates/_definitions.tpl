{{/* Whether a CRD is rendered: (dict "root" $ "name" NAME "schema" MARK); "true" or nothing.

     Helm refuses to touch an object of another release. A CRD outlives its release, so the next release, under another
     name, would be refused for nothing: while the schema in the cluster is the very one that this chart brings, the
     CRD is left where it is. When the schemas differ it is rendered, and Helm then says whose it is: an old schema
     never stays unnoticed, and --take-ownership hands it over. Without a cluster (helm template) all are rendered. */}}
{{- define "aiop.definition.rendered" -}}
{{- if .root.Values.crds.install -}}
{{- $annotations := include "aiop.definition.annotations" .name | fromYaml -}}
{{- $name := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- $ours := and (eq $name .root.Release.Name) (eq $namespace .root.Release.Namespace) -}}
{{- if or $ours (ne (get $annotations "geartickler.com/schema") .schema) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The annotations of a CRD in the cluster, by its name; none if it is not there or there is no cluster. */}}
{{- define "aiop.definition.annotations" -}}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" . -}}
{{- dig "metadata" "annotations" (dict) (default (dict) $found) | toYaml -}}
{{- end -}}

{{- define "aiop.definition.metadata" -}}
{{- $annotations := dict "geartickler.com/schema" .schema -}}
{{- if .root.Values.crds.keep -}}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" -}}
{{- end -}}
{{- include "aiop.metadata" (dict "root" .root "name" .name "clusterScoped" true "annotations" $annotations) -}}
{{- end -}}
