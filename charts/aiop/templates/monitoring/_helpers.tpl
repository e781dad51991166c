{{/* Not empty where the Prometheus operator's objects can be made, or shall be in any case. */}}
{{- define "aiop.monitoring.api" -}}
{{- if or .Values.metrics.force (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") }}yes{{ end -}}
{{- end -}}

{{/* How to scrape, for ServiceMonitor and PodMonitor alike: (dict "settings" .Values.metrics.serviceMonitor). */}}
{{- define "aiop.monitoring.endpoint" -}}
port: metrics
path: /metrics
honorLabels: {{ .settings.honorLabels }}
{{- with .settings.interval }}
interval: {{ . }}
{{- end }}
{{- with .settings.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .settings.relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
