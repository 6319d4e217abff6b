# shellcheck shell=bash
# How stages run one after another, how a command is run, and what is said when one fails.

stage=
child=
companions=()
finished=()
undo=()
scratch=

# Runs the stages of these names, each announced, until one fails.
run_stages() {
  local number=0
  for stage in "$@"; do
    number=$((number + 1))
    if is_skipped "$stage"; then
      announce "==> $number/$# $stage: skipped"
      continue
    fi
    announce "==> $number/$# $stage"
    "stage_$stage"
  done
  stage=
}

is_skipped() {
  case $1 in
    build) is_on skip-build ;;
    test | verify) is_on skip-tests ;;
    push) is_on skip-push ;;
    *) false ;;
  esac
}

# A terminal or a pipe that is gone takes no messages, which ends nothing.
announce() {
  echo "$*" >&2 2>/dev/null || true
}

say() {
  announce "    $*"
}

# Ends the script: fail CODE MESSAGE
fail() {
  local code=$1
  shift
  echo "$program: $*" >&2
  exit "$code"
}

# Runs a command that changes something, or prints it in a dry run. It runs beside the shell, which
# can so pass on a signal at once; it hears Ctrl-C itself, too, where env can see to that. It does
# not get the signals that `deaf_to` names.
run() {
  if is_on dry-run; then
    print_command "$@"
    return
  fi
  announce "+ $(quoted "$@")"
  local code=0
  (
    # shellcheck disable=SC2086
    [ -z "${deaf_to:-}" ] || trap '' $deaf_to
    exec "${hears_interrupts[@]}" "$@"
  ) </dev/null &
  child=$!
  wait "$child" || code=$?
  child=
  return "$code"
}

# Runs Helm, which must be able to roll back when the terminal or the reader of its messages is
# lost: the script passes on the loss as a SIGTERM.
run_helm() {
  local deaf_to="HUP PIPE"
  run "${helm[@]}" "$@"
}

# Runs a command that only asks the cluster something, and prints the answer.
query() {
  if is_on dry-run; then
    print_command "$@"
  else
    "$@"
  fi
}

# Runs a command until the stage ends, for what it prints or does meanwhile. Sets `companion`.
accompany() {
  "$@" </dev/null &
  companion=$!
  companions+=("$companion")
}

dismiss_companions() {
  local one
  for one in "${companions[@]}"; do
    kill "$one" 2>/dev/null || true
    wait "$one" 2>/dev/null || true
  done
  companions=()
}

print_command() {
  quoted "$@" >&3
}

# The words of a command as a shell would read them.
quoted() {
  local word line=
  for word in "$@"; do
    [[ $word =~ ^[a-zA-Z0-9_./:=,@%+-]+$ ]] || word=${word@Q}
    line+="${line:+ }$word"
  done
  echo "$line"
}

# Calls a condition every second until it holds: wait_until DEADLINE WHAT CONDITION... Says every ten
# seconds what is waited for, and returns 75 when the deadline, in SECONDS, is over.
wait_until() {
  local deadline=$1 what=$2 told=$SECONDS
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 75
    if [ "$SECONDS" -ge $((told + 10)) ]; then
      told=$SECONDS
      say "waiting for $what: $((deadline - SECONDS)) seconds are left"
    fi
    sleep 1
  done
}

listen_for_the_end() {
  hears_interrupts=()
  ! env --default-signal=INT true 2>/dev/null || hears_interrupts=(env --default-signal=INT)
  scratch=$(mktemp -d)
  trap finish EXIT
  trap 'interrupted INT' INT
  trap 'interrupted TERM' TERM
  trap 'interrupted HUP' HUP
  # Not ignored, because the commands would inherit that.
  trap : PIPE
}

# Passes the signal on, and lets what runs put itself right: Helm rolls back. A second signal ends
# the script at once, except HUP, which a shell and the kernel may both send for one terminal.
interrupted() {
  trap - INT TERM
  trap '' HUP
  announce "$program: interrupted in stage $stage"
  if [ -n "$child" ] && kill -TERM "$child" 2>/dev/null; then
    say "letting the last command end; interrupt once more to leave it alone"
    wait "$child" || true
  fi
  exit $((128 + $(kill -l "$1")))
}

finish() {
  local code=$?
  trap - EXIT
  dismiss_companions
  case $stage in
    '' | check) ;; # nothing was changed
    *) [ "$code" -eq 0 ] || report_failure "$code" || true ;;
  esac
  rm -rf "$scratch"
  exit "$code"
}

report_failure() {
  local line
  announce "$program: stopped in stage $stage with exit code $1"
  for line in "${finished[@]}"; do
    say "done: $line"
  done
  [ -z "$release_touched" ] || report_release
  for line in "${undo[@]}"; do
    say "to undo: $line"
  done
}
