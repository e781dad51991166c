{{- define "aiop.name" -}}
{{- if not (hasKey .Values "fullnameOverride") -}}
{{- fail "these are the values of an older chart alone, which lack what this one needs: upgrade with --reset-then-reuse-values, not with --reuse-values" -}}
{{- end -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of every object of the release; 50 characters leave room for what is put behind it. */}}
{{- define "aiop.fullname" -}}
{{- $name := include "aiop.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* A Deployment's selector cannot be changed: nothing may be added here. */}}
{{- define "aiop.selector" -}}
app.kubernetes.io/name: {{ include "aiop.name" . | quote }}
app.kubernetes.io/instance: {{ quote .Release.Name }}
{{- end -}}

{{/* The labels of every object; the chart's own go before commonLabels. */}}
{{- define "aiop.labels" -}}
{{- $own := include "aiop.selector" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "aiop" -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge (dict) $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* An object's metadata: (dict "root" $ "name" NAME "namespace" NAMESPACE "labels" LABELS "annotations" ANNOTATIONS),
     with "clusterScoped" true for what has no namespace. All but root may be left out: the release's name and
     namespace, the labels of every object, commonAnnotations. */}}
{{- define "aiop.metadata" -}}
{{- $root := .root -}}
name: {{ default (include "aiop.fullname" $root) .name | quote }}
{{- if not .clusterScoped }}
namespace: {{ default $root.Release.Namespace .namespace | quote }}
{{- end }}
labels:
  {{- merge (include "aiop.labels" $root | fromYaml) (default (dict) .labels) | toYaml | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "aiop.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "aiop.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* An image: (dict "root" $ "image" .Values.image). A repository that names a registry itself
     (its first part has a dot or a colon, or is localhost) is taken as it is. */}}
{{- define "aiop.imageReference" -}}
{{- $image := .image -}}
{{- $registry := default $image.registry .root.Values.global.imageRegistry -}}
{{- $first := splitList "/" $image.repository | first -}}
{{- $whole := and (contains "/" $image.repository) (or (regexMatch "[.:]" $first) (eq $first "localhost")) -}}
{{- if and $registry (not $whole) }}{{ $registry }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest -}}
@{{ $image.digest }}
{{- else -}}
:{{ default .root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{- define "aiop.image" -}}
{{- include "aiop.imageReference" (dict "root" . "image" .Values.image) -}}
{{- end -}}

{{- define "aiop.fetcherImage" -}}
{{- default (include "aiop.imageReference" (dict "root" . "image" .Values.models.fetcher.image)) .Values.models.fetchImage -}}
{{- end -}}

{{- define "aiop.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "aiop.priorityClassName" -}}
{{- if .Values.priorityClass.create -}}
{{- default (include "aiop.fullname" .) .Values.priorityClass.name -}}
{{- else -}}
{{- .Values.priorityClassName -}}
{{- end -}}
{{- end -}}

{{/* Of the pod of `helm test`: another name, for it must be neither behind the Service nor under the policies. */}}
{{- define "aiop.test.labels" -}}
app.kubernetes.io/name: {{ include "aiop.name" . }}-test
app.kubernetes.io/instance: {{ quote .Release.Name }}
app.kubernetes.io/part-of: aiop
{{- end -}}
