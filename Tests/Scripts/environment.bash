# shellcheck shell=bash
# A tree with the two scripts, committed, in a folder with a space in its name, and a PATH with
# nothing on it but the stand-ins and what a shell needs.

bats_require_minimum_version 1.5.0

setup() {
  prepare
  PATH=$tools
}

prepare() {
  local tool
  original=$(realpath "$BATS_TEST_DIRNAME/../..")
  export STAND_IN=$BATS_TEST_DIRNAME/stand-in.bash
  export CALLS=$BATS_TEST_TMPDIR/calls CLUSTER=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR
  export GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@example.org
  export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@example.org
  unset "${!DEPLOY_@}" "${!HELM_@}" KUBECONFIG KUBERNETES_SERVICE_HOST
  # How both tools are aimed at the cluster, where the test says nothing else.
  h="helm --kube-context test-cluster --namespace default"
  k="kubectl --context test-cluster --namespace default"

  tools=$BATS_TEST_TMPDIR/tools
  mkdir "$tools"
  for tool in awk bash cat dirname env git grep mktemp realpath rm sed sleep tail touch; do
    ln -s "$(command -v "$tool")" "$tools/$tool"
  done
  ln -s "$BATS_TEST_DIRNAME"/stand-ins/* "$tools"

  tree="$BATS_TEST_TMPDIR/a tree"
  mkdir -p "$tree"
  cp -R "$original"/{deploy.sh,upgrade.sh,scripts} "$tree"
  git -C "$tree" init --quiet
  git -C "$tree" add .
  git -C "$tree" commit --quiet --message "All of it"
  revision=$(git -C "$tree" rev-parse HEAD)
  commit=${revision:0:12}
  image=registry.example/team/counter:$commit

  : >"$CALLS"
  cd "$BATS_TEST_TMPDIR" || return
}

# The tests' own tools have to be found again when bats cleans up.
teardown() {
  PATH=$BATS_SAVED_PATH
}
BATS_SAVED_PATH=$PATH

deploy() {
  run --separate-stderr "$tree/deploy.sh" "$@"
}

upgrade() {
  run --separate-stderr "$tree/upgrade.sh" "$@"
}

# A release that was deployed before, at revision 1.
with_release() {
  helm upgrade counter
  rm "$CLUSTER/applying"
  : >"$CALLS"
}

with_registry() {
  export DEPLOY_REGISTRY=registry.example/team
}

exits_with() {
  [ "$status" -eq "$1" ] || complain "exit code $status, expected $1"
}

says() {
  [[ "$stderr" == *"$1"* ]] || complain "standard error has no: $1"
}

says_not() {
  [[ "$stderr" != *"$1"* ]] || complain "standard error has: $1"
}

prints() {
  [ "$output" = "$1" ] || complain "standard output is: $output"
}

called() {
  grep --quiet --fixed-strings -- "$1" "$CALLS" || complain "not called: $1"
}

not_called() {
  ! grep --quiet --fixed-strings -- "$1" "$CALLS" || complain "called: $1"
}

complain() {
  echo "$1"
  echo "--- standard error:" "$stderr"
  echo "--- calls:"
  cat "$CALLS"
  return 1
}

# Waits for up to ten seconds until a file has a line with these words.
wait_for() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    ! grep --quiet --fixed-strings -- "$2" "$1" 2>/dev/null || return 0
    sleep 0.05
  done
  complain "$1 never had: $2"
}
