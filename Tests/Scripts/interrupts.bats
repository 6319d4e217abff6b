#!/usr/bin/env bats
# A signal in the middle: what runs is let end, and what is left is told.

load environment

# Starts deploy.sh with SIGINT as a terminal would give it, which bats ignores.
start_deploy() {
  env --default-signal=INT "$tree/deploy.sh" --address-timeout 20 "$@" \
    >"$BATS_TEST_TMPDIR/output" 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
  script=$!
}

end_deploy() {
  kill "-$1" "$script"
  status=0
  wait "$script" || status=$?
  stderr=$(<"$BATS_TEST_TMPDIR/errors")
}

@test "a signal while Helm is at work is passed on, and Helm's word is told" {
  with_registry
  with_release
  HANGS="--rollback-on-failure" start_deploy
  wait_for "$CALLS" "--rollback-on-failure"
  end_deploy TERM
  exits_with 143
  called "helm: TERM"
  says "deploy.sh: interrupted in stage install"
  says "done: pushed $image"
  says "not changed: release counter runs revision 1"
  not_called "$h test"
}

@test "a signal during the build leaves nothing" {
  with_registry
  HANGS="docker build" start_deploy
  wait_for "$CALLS" "docker build"
  end_deploy INT
  exits_with 130
  called "docker: TERM"
  says "interrupted in stage build"
  says_not "done:"
  not_called "docker push"
}

@test "a signal while the address is waited for ends the port-forward" {
  with_registry
  FAILS="curl" start_deploy --address port-forward
  wait_for "$CALLS" "curl"
  end_deploy TERM
  exits_with 143
  says "interrupted in stage address"
  says "to undo: $h uninstall counter"
  ! kill -0 "$(cat "$CLUSTER/port-forward")" || complain "the port-forward goes on"
}

@test "a terminal that is lost while Helm is at work is told to Helm as an interrupt" {
  with_registry
  with_release
  # A group of its own, all of which a terminal that is closed gives SIGHUP.
  set -m
  HANGS="--rollback-on-failure" start_deploy
  set +m
  wait_for "$CALLS" "--rollback-on-failure"
  kill -HUP -- "-$script"
  status=0
  wait "$script" || status=$?
  stderr=$(<"$BATS_TEST_TMPDIR/errors")
  exits_with 129
  called "helm: TERM"
  not_called "helm: HUP"
  says "interrupted in stage install"
  says "not changed: release counter runs revision 1"
}

@test "a terminal that is gone, and takes no messages, keeps nothing from its end" {
  with_registry
  with_release
  # The program gets a terminal of its own, which closes when its other end does.
  export HANGS="--rollback-on-failure" SCRIPT="$tree/deploy.sh" CALLS
  PATH=$tools "$original/.build/python/bin/python" - <<'PYTHON'
import os, pathlib, pty, time

calls = pathlib.Path(os.environ["CALLS"])
child, terminal = pty.fork()
if child == 0:
    os.execv(os.environ["SCRIPT"], [os.environ["SCRIPT"]])
end = time.monotonic() + 20
while "--rollback-on-failure" not in calls.read_text():
    assert time.monotonic() < end, calls.read_text()
    time.sleep(0.05)
os.close(terminal)
while os.waitpid(child, os.WNOHANG) == (0, 0):
    assert time.monotonic() < end, "it does not end"
    time.sleep(0.05)
PYTHON
  called "helm: TERM"
  not_called "helm: HUP"
  # What became of the release was asked for, though nobody could be told.
  [[ $(tail -n 1 "$CALLS") == *" history counter "* ]] || complain "the last call is another"
}

@test "a second signal leaves Helm alone at once" {
  with_registry
  with_release
  HANGS="--rollback-on-failure" DEAF=yes start_deploy
  wait_for "$CALLS" "--rollback-on-failure"
  kill -TERM "$script"
  wait_for "$BATS_TEST_TMPDIR/errors" "interrupt once more"
  end_deploy TERM
  exits_with 143
  kill -USR1 "$(cat "$CLUSTER/deaf")"
}
