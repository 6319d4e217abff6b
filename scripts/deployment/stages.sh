# shellcheck shell=bash
# The stages of deploy.sh and upgrade.sh, in their order. stage_NAME is the stage of that name.

# Everything that can be known beforehand: nobody waits for a build to hear that Helm is missing.
stage_check() {
  check_tools
  aim_tools
  choose_helm_flags
  choose_container_tool
  choose_image
  check_cluster
  check_namespace
  check_release
  check_application
}

check_tools() {
  local tool missing=no
  for tool in kubectl helm curl; do
    has_tool "$tool" || missing=yes
  done
  [ -n "${setting[tag]}" ] || has_tool git || missing=yes
  is_skipped test || has_tool make || missing=yes
  needs_no_container_tool || has_container_tool || missing=yes
  [ "$missing" = no ] || exit 69
}

has_tool() {
  command -v "$1" >/dev/null && return
  case $1 in
    kubectl) announce "$program: kubectl is missing: https://kubernetes.io/docs/tasks/tools/" ;;
    helm) announce "$program: helm is missing: https://helm.sh/docs/intro/install/" ;;
    docker) announce "$program: docker is missing: https://docs.docker.com/engine/install/" ;;
    *) announce "$program: $1 is missing: on Debian, apt-get install $1" ;;
  esac
  return 1
}

needs_no_container_tool() {
  is_on skip-build && is_on skip-push
}

has_container_tool() {
  if [ -n "${setting[container-tool]}" ]; then
    has_tool "${setting[container-tool]}"
    return
  fi
  command -v docker >/dev/null || command -v podman >/dev/null && return
  announce "$program: docker and podman are missing, one is needed:" \
    "https://docs.docker.com/engine/install/, or on Debian, apt-get install podman"
  return 1
}

# Docker may be installed without a daemon that runs; podman needs none. When neither is needed, the
# tool is chosen all the same: it has given the image its name.
choose_container_tool() {
  local tool
  container_tool=${setting[container-tool]}
  needs_no_container_tool && [ -n "${setting[registry]}" ] && return
  for tool in ${container_tool:-docker podman}; do
    command -v "$tool" >/dev/null || continue
    container_tool=$tool
    is_on dry-run && return
    "$tool" info >"$scratch/info" 2>&1 && return
    needs_no_container_tool || tail -n 1 "$scratch/info" >&2
  done
  needs_no_container_tool || fail 69 "$container_tool is installed, but does not work"
}

# Asks git about the repository of this tree, and fails when there is none: neither a repository
# around it, whose commits say nothing about this tree, nor one that the environment names, as it does
# in a hook, is asked.
own_git() {
  local name of_git=()
  for name in $(git rev-parse --local-env-vars); do
    of_git+=(-u "$name")
  done
  if [ -n "$(env "${of_git[@]}" git -C "$repository" rev-parse --show-prefix || echo none)" ]; then
    echo "$program: $repository is not the root of a git repository" >&2
    return 1
  fi
  env "${of_git[@]}" git -C "$repository" "$@"
}

# The image's full name. Its tag is the commit it is built from, so that a tag is one program.
choose_image() {
  local tag=${setting[tag]} registry=${setting[registry]}
  if [ -z "$tag" ]; then
    tag=$(own_git rev-parse --short=12 HEAD) ||
      fail 64 "the image is tagged with the commit, and git knows of none: give it a --tag"
    is_on skip-build || [ -z "$(own_git status --porcelain --untracked-files=normal)" ] ||
      fail 64 "the tree has changes that are not committed, so no commit is its tag:" \
        "commit them, or give it a --tag"
  fi
  if [ -z "$registry" ]; then
    is_on skip-push || fail 64 "there is no --registry to push to; --skip-push goes without one," \
      "when the cluster's nodes have the image"
    # Podman names images without a registry so.
    [ "$container_tool" != podman ] || registry=localhost
  fi
  image=${registry:+$registry/}${setting[image]}:$tag
  say "image $image"
  ! is_on skip-push || say "every node must have $image: kind load docker-image, minikube image load, …"
}

check_cluster() {
  say "cluster ${context:-of this pod}, namespace $namespace, release $release"
  query "${kubectl[@]}" --request-timeout 10s version ||
    fail 69 "the cluster does not answer; kubectl config get-contexts lists those there are"
}

stage_build() {
  local revision
  revision=$(own_git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null) ||
    revision=unknown
  run "$container_tool" build --build-arg "REVISION=$revision" --tag "$image" "$repository"
  finished+=("built $image")
  undo+=("$container_tool image rm $image")
}

stage_test() {
  run make --directory "$repository" test
}

stage_push() {
  run "$container_tool" push "$image" || fail $? "the push failed; $container_tool login may be needed"
  finished+=("pushed $image")
  undo+=("remove $image from its registry")
}

stage_install() {
  apply_chart
}

stage_upgrade() {
  apply_chart
}

# What Helm runs in the cluster judges the release, and a bad one is taken back. What comes after
# looks from here, where a firewall can be in the way of a good one. Not --logs: Helm fails when the
# log of a good test cannot be read.
stage_verify() {
  local code=0
  run_helm test "$release" --timeout "${setting[timeout]}s" || code=$?
  [ "$code" -ne 0 ] || return 0
  show_test
  show_what_went_wrong
  announce "$program: rolling back"
  put_back || announce "$program: the roll-back failed"
  # A test that succeeded is deleted by Helm; one that failed stays, even without its release. The
  # answer is for a kubectl that is set to ask.
  "${kubectl[@]}" delete pods --selector "$whole_release,app.kubernetes.io/component=test" \
    --wait=false <<<y >"$scratch/output" 2>&1 || true
  return "$code"
}

stage_address() {
  if is_on dry-run; then
    get ingress,service --selector "$whole_release"
    base_url=http://ADDRESS
    return
  fi
  find_address
}

stage_smoke() {
  get pods --selector "$server" --output wide || say "the pods cannot be listed"
  query "${curl[@]}" --head "$base_url/"
  if is_on dry-run; then
    query "${curl[@]}" "$base_url/health"
    query "${curl[@]}" "$base_url/" "$base_url/"
    query "${curl[@]}" --no-fail "$base_url$own_counter" "$base_url$own_counter"
    query "${kubectl[@]}" logs POD --tail 10
    return
  fi
  check_health
  check_two_visits
  check_own_counter
  # The right to deploy need not include that to read logs.
  "${kubectl[@]}" logs "$(serving_pod 1)" --tail 10 || say "the log cannot be read"
}

check_health() {
  local text
  text=$("${curl[@]}" "$base_url/health")
  [ "$text" = "Microservice a is ready!" ] || fail 1 "/health answers something else: $text"
  say "/health: $text"
}

# Other visitors may come in between, so the number may grow by more than one. The HEAD before is a
# visit, too, and none of the two.
check_two_visits() {
  local first second
  first=$(visit)
  second=$(visit)
  [ "$second" -gt "$first" ] || fail 1 "two visits, and the number did not grow: $first, then $second"
  if [ "$second" -eq $((first + 1)) ]; then
    say "two visits: $first, then $second"
  else
    say "two visits: $first, then $second; others came in between"
  fi
}

# The counter with a name that is hit. It is always the same, also in `helm test`, so that deployments take
# one counter.
own_counter=/hit/smoke-test/deployment

# Where its namespace or the path is closed, or where there are as many counters as may be, the answer is
# 404 or 403, which is no failure of the deployment.
check_own_counter() {
  local first second
  hit_own_counter || return 0
  first=$number
  hit_own_counter || return 0
  second=$number
  [ "$second" -gt "$first" ] ||
    fail 1 "two hits of $own_counter, and the number did not grow: $first, then $second"
  if [ "$second" -eq $((first + 1)) ]; then
    say "two hits of $own_counter: $first, then $second"
  else
    say "two hits of $own_counter: $first, then $second; others came in between"
  fi
}

# Hits the counter, and sets `number`. Returns 1 when it may not be there, and says why.
hit_own_counter() {
  local answer status reason
  answer=$("${curl[@]}" --no-fail --write-out '\n%{http_code}' "$base_url$own_counter") || exit
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  case $status in
    200) ;;
    403 | 404)
      reason=${answer//[$'\r\n']/ }
      [[ ! $answer =~ \"detail\":\"([^\"]*)\" ]] || reason=${BASH_REMATCH[1]}
      say "$own_counter was not checked, since the answer is $status: ${reason:0:200}"
      return 1
      ;;
    *) fail 1 "$own_counter answers $status: ${answer:0:200}" ;;
  esac
  [[ $answer =~ ^\{\"value\":(-?[0-9]+)\}$ ]] || fail 1 "$own_counter answers something else: ${answer:0:200}"
  number=${BASH_REMATCH[1]}
}

# Visits, and prints the number.
visit() {
  local text
  text=$("${curl[@]}" "$base_url/") || return
  [[ $text =~ ^"Hello World! I have been seen "([0-9]+)" times."$ ]] || fail 1 "/ answers something else: $text"
  echo "${BASH_REMATCH[1]}"
}
