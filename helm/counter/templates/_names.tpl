{{/* The port that the counter's pods listen on, whatever the Service's is: over 1023, so that no
     user needs a privilege for it. */}}
{{- define "counter.port" -}}8000{{- end }}

{{/* What a pod is selected by, which can never change: (list $ COMPONENT). Redis's does not depend
     on the counter's name, which may. */}}
{{- define "counter.selector" -}}
{{- $ := index . 0 -}}
{{- $name := eq (index . 1) "redis" | ternary $.Values.redis.name $.Values.name -}}
app.kubernetes.io/name: {{ $name | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The labels of everything but pods, for which a new version would be a reason to restart:
     (list $ COMPONENT). */}}
{{- define "counter.labels" -}}
{{- $ := index . 0 -}}
{{ include "counter.selector" . }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{/* Whether the counter finds its Redis by REDISAPP_SERVICE_HOST. Kubernetes gives it to pods that
     start after the Service was made, which Helm does first. */}}
{{- define "counter.redisIsInjected" -}}
{{- if and (not .Values.redis.host) (eq .Values.redis.name "redisapp") }}yes{{ end }}
{{- end }}

{{/* Where Redis is, when the counter has to be told. */}}
{{- define "counter.redisURL" -}}
{{- $host := .Values.redis.host | default .Values.redis.name -}}
{{- if contains ":" $host }}{{ $host = printf "[%s]" $host }}{{ end -}}
redis://{{ $host }}:{{ .Values.redis.port }}
{{- end }}

{{/* The Secret with Redis's password; empty when there is none. */}}
{{- define "counter.passwordSecret" -}}
{{- if .Values.redis.existingSecret }}{{ .Values.redis.existingSecret }}
{{- else if .Values.redis.enabled }}{{ .Values.redis.name }}-password
{{- end }}
{{- end }}

{{/* The same for every container. */}}
{{- define "counter.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The same for every pod: (list $ USER). The image's user is given as a number, which Kubernetes
     can see not to be root. */}}
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

{{/* A volume with the password as a file, so that it is in nobody's environment. */}}
{{- define "counter.passwordVolume" -}}
name: password
secret:
  secretName: {{ include "counter.passwordSecret" . | quote }}
  defaultMode: 0440
  items:
    - key: {{ .Values.redis.existingSecretKey | quote }}
      path: password
{{- end }}

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
