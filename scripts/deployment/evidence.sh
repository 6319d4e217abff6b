# shellcheck shell=bash
# What is shown after a failure: the cluster's warnings and the last words of containers that ended,
# of this release and of this time only.

# What there was before, so that it is not shown. Clocks differ, so times are not compared.
note_what_went_wrong_before() {
  list_warnings >"$scratch/warnings-before"
  list_ended_containers >"$scratch/ended-before"
}

# The warnings about the release's objects, one a line, the last one last: kind/name, reason and
# message, and when. Without those of the autoscaler, which warns until it has metrics.
list_warnings() {
  local names template='{range .items[*]}{.involvedObject.kind}/{.involvedObject.name}{"\t"}'
  template+='{.reason}: {.message}{"\t"}last at {.lastTimestamp}{.series.lastObservedTime}{"\n"}{end}'
  names=$(awk '/^metadata:/ { getline; if ($1 == "name:") { gsub(/"/, "", $2); print $2 } }' \
    "$scratch/manifest")
  get events --field-selector type=Warning --sort-by .lastTimestamp --output "jsonpath=$template" \
    2>/dev/null |
    NAMES=$names awk -F '\t' '
      BEGIN { count = split(ENVIRON["NAMES"], names, "\n") }
      NF < 3 || /^HorizontalPodAutoscaler\// { next }
      {
        name = $1
        sub(/^[^\/]*\//, "", name)
        for (i = 1; i <= count; i++)
          if (name == names[i] || index(name, names[i] "-") == 1 || index(name, "data-" names[i] "-") == 1) {
            print
            next
          }
      }' || true
}

# The containers of the release that ended with an error and were started again, one a line: the pod,
# the container, the exit code and the time.
# shellcheck disable=SC2016
list_ended_containers() {
  local template='{{range .items}}{{$pod := .metadata.name}}{{range .status.containerStatuses}}'
  template+='{{$container := .name}}{{with .lastState.terminated}}{{$pod}} {{$container}} '
  template+='{{.exitCode}} {{.finishedAt}}{{"\n"}}{{end}}{{end}}{{end}}'
  get pods --selector "$whole_release" --output "go-template=$template" 2>/dev/null |
    awk '$3 != 0' || true
}

# Keeps the last words of each container that ends, because the pod is gone when Helm has rolled
# back. Runs beside Helm.
keep_last_words() {
  local pod container code rest
  trap 'kill $(jobs -p) 2>/dev/null; exit' TERM
  while true; do
    while read -r pod container code rest; do
      ! grep --quiet --line-regexp --fixed-strings "$pod $container $code $rest" \
        "$scratch/ended-before" || continue
      "${kubectl[@]}" logs "$pod" --container "$container" --previous --tail 10 \
        >"$scratch/log" 2>/dev/null || continue
      {
        echo "The last words of $pod, which ended with exit code $code:"
        cat "$scratch/log"
      } >"$scratch/last-words"
    done < <(list_ended_containers)
    sleep 2 &
    wait $!
  done
}

show_what_went_wrong() {
  list_warnings >"$scratch/warnings"
  announce "The release's last warnings:"
  { grep -vxFf "$scratch/warnings-before" "$scratch/warnings" || true; } | tail -n 10 >&2
  [ ! -s "$scratch/last-words" ] || cat "$scratch/last-words" >&2
}

# What the pod of `helm test` said.
show_test() {
  announce "The test's log:"
  "${kubectl[@]}" logs --selector "$whole_release,app.kubernetes.io/component=test" --tail 20 \
    >"$scratch/log" 2>&1 || true
  cat "$scratch/log" >&2
}
