# shellcheck shell=bash
# The Helm release: how it is asked, installed and rolled back, and what state it is in.

release_must_exist=false
release_touched=

# The tools with their way to the cluster, and the labels that the chart gives to its objects.
aim_tools() {
  release=${setting[release]}
  helm=(helm)
  kubectl=(kubectl)
  if [ -n "${setting[context]}" ]; then
    helm+=(--kube-context "${setting[context]}")
    kubectl+=(--context "${setting[context]}")
  fi
  if [ -n "${setting[namespace]}" ]; then
    helm+=(--namespace "${setting[namespace]}")
    kubectl+=(--namespace "${setting[namespace]}")
  fi
  whole_release=app.kubernetes.io/instance=$release
  server=$whole_release,app.kubernetes.io/component=server
}

# Asks the cluster, which must answer within ten seconds.
get() {
  query "${kubectl[@]}" --request-timeout 10s get "$@"
}

# Helm 4 calls --atomic by another name. Before 3.14 there is no --reset-then-reuse-values.
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
  else
    wait_or_roll_back+=(--atomic)
  fi
}

# Asks Helm about the release. Sets release_state: absent, unknown, or Helm's word; and the number
# of the last revision, what Helm says of it, and the number of the one that is deployed, if any.
read_release() {
  local history
  last_revision='' last_description='' deployed_revision=''
  if history=$("${helm[@]}" history "$release" --output yaml 2>&1); then
    read -r release_state last_revision deployed_revision last_description < <(awk '
      /^  description: / { description = $0; sub(/^  description: /, "", description) }
      /^  revision: / { revision = $2 }
      /^  status: / { state = $2; if (state == "deployed") deployed = revision }
      END { print state, revision, deployed ? deployed : "none", description }' <<<"$history")
    [ "$deployed_revision" != none ] || deployed_revision=
  elif [[ $history == *"release: not found"* ]]; then
    release_state=absent
  else
    release_state=unknown
    announce "$history"
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
  previous_revision=$deployed_revision
  case $release_state in
    unknown) fail 69 "Helm cannot tell the state of release $release" ;;
    pending-* | uninstalling)
      fail 69 "release $release is $release_state: someone is at work on it, or was cut off." \
        "If nobody is: $(put_back quoted)"
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

# Brings back the revision that was there before, or removes the release when there was none, as
# Helm does when its own wait fails: put_back run. The command alone: put_back quoted.
put_back() {
  local command=("${helm[@]}")
  if [ -n "$previous_revision" ]; then
    command+=(rollback "$release" "$previous_revision")
  else
    command+=(uninstall "$release")
  fi
  "$1" "${command[@]}" --wait --timeout "${setting[timeout]}s"
}

# Runs `helm upgrade` with the chart, the image and the values given, and shows the pods come and go
# meanwhile: apply_chart FLAG...
apply_chart() {
  local file override code=0
  local command=("${helm[@]}" upgrade "$release" "$repository/helm/counter" "$@")
  for file in "${values_files[@]}"; do
    command+=(--values "$file")
  done
  for override in "${overrides[@]}"; do
    command+=(--set "$override")
  done
  command+=(--set-string "image=$image" "${wait_or_roll_back[@]}")

  is_on dry-run || accompany "${kubectl[@]}" get pods --selector "$whole_release" --watch
  release_touched=yes
  run "${command[@]}" || code=$?
  dismiss_companions
  [ "$code" -eq 0 ] || show_warnings
  return "$code"
}

# What is wrong with pods that do not get ready stands in the cluster's warnings.
show_warnings() {
  announce "The namespace's last warnings:"
  { get events --field-selector type=Warning --sort-by .lastTimestamp || true; } | tail -n 10 >&2
}

# Says what Helm says that became of the release, after a failure.
report_release() {
  read_release
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
  say "to undo: $(put_back quoted)"
}
