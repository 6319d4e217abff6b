{{/* The port that the counter's pods listen on, which does not depend on the Service's. It is above
     1023, so that it needs no privilege. */}}
{{- define "counter.port" -}}8000{{- end }}

{{/* The labels that select a pod: (list $ COMPONENT). They can never change. Redis's labels do not
     depend on the counter's name, which can. */}}
{{- define "counter.selector" -}}
{{- $ := index . 0 -}}
{{- $name := eq (index . 1) "redis" | ternary $.Values.redis.name $.Values.name -}}
app.kubernetes.io/name: {{ $name | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The labels of each object: (list $ COMPONENT). Pods have only those that select them, because a
     changed label restarts a pod, and these contain the version. */}}
{{- define "counter.labels" -}}
{{- $ := index . 0 -}}
{{ include "counter.selector" . }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{/* Whether the counter finds its Redis by REDISAPP_SERVICE_HOST. Kubernetes sets it in pods that
     start after the Service was created. Helm creates Services first. */}}
{{- define "counter.redisIsInjected" -}}
{{- if and (not .Values.redis.host) (eq .Values.redis.name "redisapp") }}yes{{ end }}
{{- end }}

{{/* The URL of Redis, for the flag --redis. */}}
{{- define "counter.redisURL" -}}
{{- $host := .Values.redis.host | default .Values.redis.name -}}
{{- if contains ":" $host }}{{ $host = printf "[%s]" $host }}{{ end -}}
redis://{{ $host }}:{{ .Values.redis.port }}
{{- end }}

{{/* The name of the Secret with Redis's password, or empty if there is none. */}}
{{- define "counter.passwordSecret" -}}
{{- if .Values.redis.existingSecret }}{{ .Values.redis.existingSecret }}
{{- else if .Values.redis.enabled }}{{ .Values.redis.name }}-password
{{- end }}
{{- end }}

{{/* The security context of every container. */}}
{{- define "counter.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The security settings of every pod: (list $ USER). The user is a number, because Kubernetes can
     tell only of a number that it is not root. */}}
{{- define "counter.podSecurity" -}}
{{- $ := index . 0 -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 1 }}
  runAsGroup: {{ index . 1 }}
  fsGroup: {{ index . 1 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $.Values.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A volume with the password as a file, so that no environment contains it. */}}
{{- define "counter.passwordVolume" -}}
name: password
secret:
  secretName: {{ include "counter.passwordSecret" . | quote }}
  defaultMode: 0440
  items:
    - key: {{ .Values.redis.existingSecretKey | quote }}
      path: password
{{- end }}

{{/* The nodes that a pod may run on. */}}
{{- define "counter.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
