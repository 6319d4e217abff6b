# shellcheck shell=bash
# The Helm release: how it is asked, installed and rolled back, and what state it is in.

release_must_exist=false
release_touched=
overwrite=()
namespace_is_missing=false

# Settles the cluster and the namespace, once, and gives both tools the same: what one of them reads
# alone (HELM_KUBECONTEXT, HELM_NAMESPACE, HELM_KUBETOKEN and so on) must not lead it elsewhere.
# Also sets the labels that the chart gives to its objects.
aim_tools() {
  local name of_helm_alone=() without=()
  release=${setting[release]}
  context=${setting[context]}
  context=${context:-$(kubectl config current-context 2>/dev/null || true)}
  namespace=${setting[namespace]}
  namespace=${namespace:-$(namespace_of_context)}
  namespace=${namespace:-default}

  for name in "${!HELM_KUBE@}" HELM_NAMESPACE; do
    [ -n "${!name:-}" ] || continue
    of_helm_alone+=("$name")
    without+=(-u "$name")
  done
  helm=(helm)
  if [ "${#of_helm_alone[@]}" -gt 0 ]; then
    say "without effect, as only Helm reads it: ${of_helm_alone[*]}"
    helm=(env "${without[@]}" helm)
  fi
  kubectl=(kubectl)
  if [ -n "$context" ]; then
    helm+=(--kube-context "$context")
    kubectl+=(--context "$context")
  fi
  helm+=(--namespace "$namespace")
  kubectl+=(--namespace "$namespace")
  whole_release=app.kubernetes.io/instance=$release
  server=$whole_release,app.kubernetes.io/component=server
}

# The namespace that kubectl would take by itself: the context's, or that of the pod it runs in.
namespace_of_context() {
  local found=
  if [ -n "$context" ]; then
    found=$(kubectl config view --minify --context "$context" \
      --output 'jsonpath={.contexts[0].context.namespace}' 2>/dev/null || true)
  fi
  if [ -z "$found" ] && [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then
    found=${POD_NAMESPACE:-$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace 2>/dev/null || true)}
  fi
  echo "$found"
}

# Asks the cluster, which must answer within ten seconds.
get() {
  query "${kubectl[@]}" --request-timeout 10s get "$@"
}

# Helm 4 calls --atomic by another name, and has the server apply changes, which then refuses to
# change what somebody else has changed, unless it is forced. Before 3.14 there is no
# --reset-then-reuse-values.
choose_helm_flags() {
  local version major minor
  version=$(helm version --template '{{.Version}}') || fail 69 "helm does not say its version"
  [[ $version =~ ^v([0-9]+)\.([0-9]+) ]] || fail 69 "helm has a version that is no version: $version"
  major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
  [ "$major" -gt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -ge 14 ]; } ||
    fail 69 "helm $version is too old: install 3.14 or newer from https://helm.sh/docs/intro/install/"
  wait_or_roll_back=(--wait --timeout "${setting[timeout]}s")
  if [ "$major" -ge 4 ]; then
    wait_or_roll_back+=(--rollback-on-failure)
    # A release of Helm 3 takes --force-conflicts only together with --server-side.
    overwrite=(--server-side=true --force-conflicts)
  else
    wait_or_roll_back+=(--atomic)
  fi
}

# Asks Helm about the release. Sets release_state: absent, unknown, or Helm's word; and the number
# of the last revision, what Helm says of it, and the number of the one that is deployed; if none is,
# as after a roll-back that failed, of the last one that was.
read_release() {
  local history
  last_revision='' last_description='' good_revision=''
  if history=$("${helm[@]}" history "$release" --output yaml 2>"$scratch/error"); then
    read -r release_state last_revision good_revision last_description < <(awk '
      /^  description: / { description = $0; sub(/^  description: /, "", description) }
      /^  revision: / { revision = $2 }
      /^  status: / { state = $2; last[state] = revision }
      END {
        good = "deployed" in last ? last["deployed"] : "superseded" in last ? last["superseded"] : "none"
        print state, revision, good, description
      }' <<<"$history")
    [ "$good_revision" != none ] || good_revision=
  elif grep --quiet "release: not found" "$scratch/error"; then
    release_state=absent
  else
    release_state=unknown
    cat "$scratch/error" >&2
  fi
}

# Refuses, before the build, what Helm would refuse after it. Keeps what to go back to.
check_release() {
  previous_revision=
  if is_on dry-run; then
    print_command "${helm[@]}" history "$release" --output yaml
    return
  fi
  read_release
  previous_revision=$good_revision
  case $release_state in
    unknown) fail 69 "Helm cannot tell the state of release $release" ;;
    pending-* | uninstalling)
      fail 69 "release $release is $release_state: someone is at work on it, or was cut off." \
        "If nobody is: $(way_back_command)"
      ;;
  esac
  [ "$release_must_exist" = false ] || check_that_it_is_an_upgrade
}

# A tag that runs already would give the name of one program to two, and no pod would be replaced.
check_that_it_is_an_upgrade() {
  local running
  [ "$release_state" != absent ] ||
    fail 69 "there is no release $release to upgrade; deploy.sh installs one"
  running=$(get deployment --selector "$server" \
    --output 'jsonpath={.items[*].spec.template.spec.containers[0].image}')
  [ "$running" != "$image" ] || is_on skip-build ||
    fail 64 "release $release runs $image already: commit what is new, or give it another --tag." \
      "--skip-build changes the release's settings only"
}

# The words for Helm that bring back the revision that was there before, or remove the release when
# there was none, as Helm does when its own wait fails. Sets `way_back`.
find_way_back() {
  if [ -n "$previous_revision" ]; then
    way_back=(rollback "$release" "$previous_revision" "${overwrite[@]}")
  else
    way_back=(uninstall "$release")
  fi
  way_back+=(--wait --timeout "${setting[timeout]}s")
}

put_back() {
  find_way_back
  run_helm "${way_back[@]}"
}

# The command that does it, for the operator.
way_back_command() {
  find_way_back
  quoted "${helm[@]}" "${way_back[@]}"
}

# Whether the namespace is there. It takes the right to create namespaces to have Helm create one,
# even one that is there, so Helm is asked to only when it is missing. If the cluster does not tell, the
# namespace is taken to be there.
check_namespace() {
  [ "$release_must_exist" = false ] || return 0
  if is_on dry-run; then
    print_command "${kubectl[@]}" get namespace "$namespace"
    namespace_is_missing=true
  elif ! get namespace "$namespace" --output name >"$scratch/output" 2>"$scratch/error" &&
    grep --quiet --ignore-case "not *found" "$scratch/error"; then
    namespace_is_missing=true
    say "namespace $namespace is missing, and will be made"
  fi
}

# The words for Helm that apply the chart with the image and the values given. Sets `application`.
#
# In an upgrade, the values of the release stay, under the new chart's defaults; --reuse-values would
# keep the old chart's defaults as well, and a value that is new in the chart would be missing.
compose_application() {
  local file
  application=(upgrade "$release" "$repository/helm/counter")
  if [ "$release_must_exist" = true ]; then
    application+=(--reset-then-reuse-values)
  else
    application+=(--install)
    [ "$namespace_is_missing" = false ] || application+=(--create-namespace)
  fi
  for file in "${values_files[@]}"; do
    application+=(--values "$file")
  done
  application+=("${overrides[@]}" --set-string "image=$image" "${overwrite[@]}")
}

# Has Helm render the chart for this cluster, and refuses what it refuses. Says what others have
# changed in the release's objects and will be changed back.
check_application() {
  compose_application
  ! is_on dry-run || return 0
  "${helm[@]}" "${application[@]}" --dry-run=server >"$scratch/application" 2>"$scratch/error" || {
    cat "$scratch/error" >&2
    fail 64 "Helm refuses these values, or what is in the cluster already"
  }
  sed -n '/^MANIFEST:$/,/^NOTES:$/{/^[A-Z]*:$/!p;}' "$scratch/application" >"$scratch/manifest"
  [ "$release_state" = absent ] || show_what_is_overwritten
}

# The server names each field that Helm would have to take from another manager, one a line after
# its manager if there are several. What Helm 3 has written is Helm's, too.
show_what_is_overwritten() {
  "${kubectl[@]}" apply --server-side --dry-run=server --field-manager=helm \
    --filename "$scratch/manifest" >"$scratch/output" 2>"$scratch/error" && return
  awk '
    /conflicts? with "/ { sub(/^.*conflict/, "conflict"); other = !/ with "helm"/; if (other) print "      " $0; next }
    !/^- / { other = 0 }
    other { print "      " $0 }' "$scratch/error" >"$scratch/conflicts"
  [ -s "$scratch/conflicts" ] || return 0
  say "changed by others since it was deployed, and to be overwritten:"
  cat "$scratch/conflicts" >&2
}

# Runs Helm with the chart, and shows the pods come and go meanwhile.
apply_chart() {
  local code=0
  if ! is_on dry-run; then
    note_what_went_wrong_before
    accompany "${kubectl[@]}" get pods --selector "$whole_release" --watch
    accompany keep_last_words
  fi
  release_touched=yes
  run_helm "${application[@]}" "${wait_or_roll_back[@]}" || code=$?
  if is_on dry-run; then
    return "$code"
  elif [ "$code" -eq 0 ]; then
    await_autoscaler
    dismiss_companions
  else
    dismiss_companions
    show_what_went_wrong
  fi
  return "$code"
}

# Helm waits for the replicas that the Deployment has; the autoscaler adds those that it is to have
# at least only after that, if the cluster runs one, which looks every 15 seconds.
await_autoscaler() {
  local fewest
  fewest=$(autoscaler '.spec.minReplicas' 2>/dev/null) || return 0
  [ -n "$fewest" ] || return 0
  if ! wait_until $((SECONDS + 20)) "the autoscaler" autoscaler_is_at_work ||
    ! wait_until $((SECONDS + 60)) "$fewest ready replicas" has_replicas "$fewest"; then
    say "the autoscaler has not yet brought $fewest replicas that are ready"
  fi
}

autoscaler_is_at_work() {
  [ -n "$(autoscaler '.status.conditions')" ]
}

# A field of the release's autoscaler.
autoscaler() {
  get horizontalpodautoscaler --selector "$server" --output "jsonpath={.items[*]$1}"
}

has_replicas() {
  local ready
  ready=$(get deployment --selector "$server" --output 'jsonpath={.items[*].status.readyReplicas}')
  [ "${ready:-0}" -ge "$1" ]
}

# Says what Helm says that became of the release, after a failure.
report_release() {
  read_release
  if [ "$namespace_is_missing" = true ] && get namespace "$namespace" >"$scratch/output" 2>&1; then
    say "made: namespace $namespace"
    undo+=("$(quoted kubectl ${context:+--context "$context"} delete namespace "$namespace")")
  fi
  case $release_state in
    absent)
      say "rolled back: there is no release $release; the volume claim of its Redis stays, if it had one"
      ;;
    unknown)
      say "left: release $release in a state that Helm cannot tell"
      say "to see: $(quoted "${helm[@]}" history "$release")"
      ;;
    deployed)
      if [ "$last_revision" = "$previous_revision" ]; then
        say "not changed: release $release runs revision $last_revision"
      elif [[ $last_description == "Rollback to "* ]]; then
        say "rolled back: release $release runs revision ${last_description##* } again," \
          "as revision $last_revision"
      else
        report_what_is_left
      fi
      ;;
    *) report_what_is_left ;;
  esac
}

report_what_is_left() {
  say "left: release $release at revision $last_revision, $release_state"
  say "to undo: $(way_back_command)"
}
