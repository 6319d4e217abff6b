{{/* An amount of memory in bytes, from a quantity as Kubernetes writes it: (list NAME QUANTITY). A
     fraction of a byte is dropped. Fails, with the name of the value, for what is no quantity.
     https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */}}
{{- define "counter.bytes" -}}
{{- /* Helm reads 268435456 in a values file as a float, 2.68435456e+08: a quantity, too. */ -}}
{{- $quantity := toString (index . 1) -}}
{{- $number := regexFind "^\\+?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]{1,2})?" $quantity -}}
{{- $units := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15
    "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- $unit := trimPrefix $number $quantity -}}
{{- /* An exponent and a unit exclude each other. */ -}}
{{- $isUnit := and (hasKey $units $unit) (not (and $unit (regexMatch "[eE]" $number))) -}}
{{- $isQuantity := and (ne $number "") $isUnit -}}
{{- $bytes := $isQuantity | ternary (mulf (float64 $number) (get $units $unit | default 0)) 0.0 -}}
{{- /* An int64 holds less than 1e19. */ -}}
{{- if or (not $isQuantity) (gt $bytes 1e18) -}}
  {{- $words := "%s is %q, which is not an amount of memory such as 256Mi" -}}
  {{- fail (printf $words (index . 0) $quantity) -}}
{{- end -}}
{{- int64 $bytes -}}
{{- end }}

{{/* The memory limit of Redis, empty without one. `auto` stands for a maxmemory of 16 MiB and 1 KiB a
     counter, and for 256Mi at least.

     Measured with redis-server 7.0 while its tables grow, when it takes most: a counter takes 105 bytes with
     a name of 20 bytes and 296 with the longest; the record of an Idempotency-Key takes 225 bytes
     with that short name and a UUID, and 688 with the longest of both. */}}
{{- define "counter.redisLimit" -}}
{{- $limit := dig "limits" "memory" "" (.Values.redis.resources | default dict) | default "" | toString -}}
{{- eq $limit "auto" | ternary (include "counter.redisAutoLimit" .) $limit -}}
{{- end }}

{{- define "counter.redisAutoLimit" -}}
{{- $maxmemory := add 16777216 (mul 1024 (int64 .Values.counters.max)) -}}
{{- max 256 (div (add (div (mul $maxmemory 4) 3) 1048575) 1048576) -}}Mi
{{- end }}

{{/* The resources of Redis, with quantities for `auto`. A request of `auto` is a quarter of the limit. */}}
{{- define "counter.redisResources" -}}
{{- $resources := deepCopy (.Values.redis.resources | default dict) -}}
{{- $limit := include "counter.redisLimit" . -}}
{{- if eq (toString (dig "limits" "memory" "" $resources)) "auto" -}}
  {{- $_ := set $resources.limits "memory" $limit -}}
{{- end -}}
{{- if eq (toString (dig "requests" "memory" "" $resources)) "auto" -}}
  {{- $limit = $limit | default (include "counter.redisAutoLimit" .) -}}
  {{- $bytes := include "counter.bytes" (list "redis.resources.limits.memory" $limit) | int64 -}}
  {{- $_ := set $resources.requests "memory" (printf "%dMi" (div $bytes 4194304)) -}}
{{- end -}}
{{- with $resources }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* The maxmemory of Redis in bytes: three quarters of its memory limit, and at least 16 MiB less.
     The rest is for what maxmemory does not count, such as the buffers of connections and of the
     log, and for a rewrite of the log. Empty without a memory limit. */}}
{{- define "counter.redisMaxmemory" -}}
{{- with include "counter.redisLimit" . -}}
  {{- $limit := include "counter.bytes" (list "redis.resources.limits.memory" .) | int64 -}}
  {{- if lt $limit 20971520 -}}
    {{- $words := "redis.resources.limits.memory is %q, which is too little: Redis needs at least 20Mi" -}}
    {{- fail (printf $words .) -}}
  {{- end -}}
  {{- min (div (mul $limit 3) 4) (sub $limit 16777216) -}}
{{- end -}}
{{- end }}

{{/* The environment of the counter: its memory limit, from which the program derives how much it
     may buffer, and the variables of the values. A variable of extraEnv replaces one of ours, as
     Kubernetes wants each name once. */}}
{{- define "counter.environment" -}}
{{- $theirs := list -}}
{{- range .Values.extraEnv }}{{ $theirs = append $theirs .name }}{{ end -}}
{{- /* Without a limit, Kubernetes would name the memory of the node. */ -}}
{{- $limit := dig "limits" "memory" "" (.Values.resources | default dict) -}}
{{- if and $limit (not (has "MEMORY_LIMIT" $theirs)) }}
- name: MEMORY_LIMIT
  valueFrom:
    resourceFieldRef:
      containerName: counter
      resource: limits.memory
      divisor: 1Mi
{{- end }}
{{- if and .Values.maxConnections (not (has "MAX_CONNECTIONS" $theirs)) }}
- name: MAX_CONNECTIONS
  value: {{ int64 .Values.maxConnections | quote }}
{{- end }}
{{- if .Values.redis.urlSecret }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.urlSecret | quote }}
      key: {{ .Values.redis.urlSecretKey | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
