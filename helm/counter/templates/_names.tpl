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

{{/* The URL of Redis if extraArgs or extraEnv name it, which then is the only place that does:
     "secret" if it is in a Secret, and empty if they do not name it. */}}
{{- define "counter.redisURLOfTheirs" -}}
{{- $url := empty .Values.redis.urlSecret | ternary "" "secret" -}}
{{- range .Values.extraEnv }}
  {{- if eq .name "REDIS_URL" }}{{ $url = .value | default "secret" }}{{ end -}}
{{- end }}
{{- $isNext := false -}}
{{- range .Values.extraArgs }}
  {{- if $isNext }}{{ $url = . }}{{ end -}}
  {{- $isNext = eq . "--redis" -}}
  {{- if hasPrefix "--redis=" . }}{{ $url = trimPrefix "--redis=" . }}{{ end -}}
{{- end }}
{{- $url -}}
{{- end }}

{{/* The names of the pods of Redis where there are several, which are those of their Services, too. */}}
{{- define "counter.redisPods" -}}
{{- $pods := list -}}
{{- if .Values.redis.replicas -}}
  {{- range until (add1 .Values.redis.replicas | int) }}{{ $pods = append $pods (printf "%s-%d" $.Values.redis.name .) }}{{ end -}}
{{- end -}}
{{- join " " $pods -}}
{{- end }}

{{/* The name of its pod, for the scripts. */}}
{{- define "counter.redisPodName" -}}
env:
  - name: POD
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
{{- end }}

{{/* What each container of Redis's pods mounts. */}}
{{- define "counter.redisMounts" -}}
- name: data
  mountPath: /data
- name: configuration
  mountPath: /etc/redis
  readOnly: true
- name: password
  mountPath: /run/secrets/redis
  readOnly: true
{{- if .Values.redis.tls.enabled }}
- name: tls
  mountPath: /run/secrets/redis-tls
  readOnly: true
{{- end }}
- name: users
  mountPath: /run/redis
{{- end }}

{{/* The URL of Redis for the flag --redis. A name, not the variable REDISAPP_SERVICE_HOST, because
     Kubernetes does not change the variables of a pod that runs when a Service gets another address. */}}
{{- define "counter.redisURL" -}}
{{- $host := .Values.redis.host | default .Values.redis.name -}}
{{- if contains ":" $host }}{{ $host = printf "[%s]" $host }}{{ end -}}
{{- $scheme := .Values.redis.tls.enabled | ternary "rediss" "redis" -}}
{{- if .Values.redis.url -}}
  {{- .Values.redis.url -}}
{{- else if .Values.redis.replicas -}}
  {{- $sentinels := include "counter.redisPods" . | replace " " ":26379," -}}
  {{- printf "%s-sentinel://%s:26379#counter" $scheme $sentinels -}}
{{- else -}}
  {{- printf "%s://%s:%d" $scheme $host (int .Values.redis.port) -}}
{{- end -}}
{{- end }}

{{/* The port of a Redis outside the chart: empty if it cannot be known, 0 if it needs none. */}}
{{- define "counter.redisPort" -}}
{{- $url := include "counter.redisURLOfTheirs" . | default (include "counter.redisURL" .) -}}
{{- /* The program takes everything up to the last @ for the credentials, whatever characters they have. */ -}}
{{- $hosts := regexReplaceAll "(?s)^[^/]*//(.*@)?([^/?#]*).*$" $url "${2}" -}}
{{- $isMany := or (contains "," $hosts) (regexMatch "(?i)^rediss?-sentinel:" $url) -}}
{{- if hasPrefix "unix:" $url -}}
  0
{{- else if not (or $isMany (eq $url "secret")) -}}
  {{- trimPrefix ":" (regexFind ":[0-9]+$" $hosts | default "6379") -}}
{{- end -}}
{{- end }}

{{/* The name of the Secret with Redis's password, or empty if there is none. */}}
{{- define "counter.passwordSecret" -}}
{{- if .Values.redis.existingSecret }}{{ .Values.redis.existingSecret }}
{{- else if .Values.redis.enabled }}{{ .Values.redis.name }}-password
{{- end }}
{{- end }}

{{/* The name of the Secret with the tokens, or empty if there are none. */}}
{{- define "counter.tokenSecret" -}}
{{- with .Values.counters.tokens }}
{{- if .existingSecret }}{{ .existingSecret }}
{{- else if .generate }}{{ $.Values.name }}-tokens
{{- end }}
{{- end }}
{{- end }}

{{/* The counter that the test hits, which is also that of the scripts for deployment: one name for all of
     them, so that they take one counter. */}}
{{- define "counter.testCounter" -}}smoke-test/deployment{{- end }}

{{/* The security context of every container. */}}
{{- define "counter.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The security settings of every pod: (list $ USER). The user is a number, because Kubernetes can
     tell only of a number that it is not root. Without one, the cluster chooses it, and the group. */}}
{{- define "counter.podSecurity" -}}
{{- $ := index . 0 -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  {{- with index . 1 }}
  runAsUser: {{ int64 . }}
  runAsGroup: {{ int64 . }}
  fsGroup: {{ int64 . }}
  {{- end }}
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

{{/* A volume with a certificate and its key, and with that of its authority: (list NAME SECRET). */}}
{{- define "counter.certificateVolume" -}}
name: {{ index . 0 }}
secret:
  secretName: {{ index . 1 | quote }}
  defaultMode: 0440
{{- end }}

{{/* A volume with the certificate of an authority, of a Secret that may hold more. */}}
{{- define "counter.authorityVolume" -}}
name: authority
secret:
  secretName: {{ . | quote }}
  defaultMode: 0440
  items:
    - key: ca.crt
      path: ca.crt
{{- end }}

{{/* How long a visit waits, and a drain may take, in seconds. Another Redis is the primary some nine
     seconds after the loss of one. */}}
{{- define "counter.visitTimeout" -}}
{{- .Values.visitTimeout | default (empty .Values.redis.replicas | ternary 5 15) -}}
{{- end }}
{{- define "counter.drainTimeout" -}}
{{- $default := empty .Values.redis.replicas | ternary 10 20 -}}
{{- kindIs "invalid" .Values.drainTimeout | ternary $default .Values.drainTimeout -}}
{{- end }}

{{/* A volume with the tokens as a file. A mount of the whole volume, not of a file in it (`subPath`), follows
     changes of the Secret. */}}
{{- define "counter.tokenVolume" -}}
name: tokens
secret:
  secretName: {{ include "counter.tokenSecret" . | quote }}
  defaultMode: 0440
  items:
    - key: {{ .Values.counters.tokens.existingSecretKey | quote }}
      path: tokens
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

{{/* The labels of a pod: (list $ COMPONENT LABELS), with those of the values. */}}
{{- define "counter.podLabels" -}}
{{ include "counter.selector" . }}
{{- with index . 2 }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The rule of a network policy that lets a pod ask for names. A cluster's policies see the port of
     the pods that answer, which on OpenShift is 5353. */}}
{{- define "counter.namesAreReached" -}}
- ports:
    {{- range list 53 5353 }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end }}
