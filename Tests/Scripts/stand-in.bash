# shellcheck shell=bash
# What the stand-ins share: each writes down how it was called, and fails or hangs when the test
# wants it to. What they answer has the form of what the real tools say.

name=${0##*/}
call="$name $*"
env | grep -i '^no_proxy=' >>"$CLUSTER/proxies" || echo "no proxy is excepted" >>"$CLUSTER/proxies"

# Whether this call has words that match a pattern which the test gave.
is_one_of() {
  [ -n "$1" ] && [[ "$call" == *$1* ]]
}

# HANGS: waits until it is ended, and writes down by which signal. With DEAF, it ends by USR1 alone. The
# call is written down when the signals are awaited, because a test sends them when it sees the call.
if is_one_of "${HANGS:-}"; then
  for signal in INT TERM HUP; do
    # shellcheck disable=SC2064
    trap "echo '$name: $signal' >>'$CALLS'; kill \$!; exit 1" "$signal"
  done
  if [ -n "${DEAF:-}" ]; then
    trap "" TERM
    echo "$$" >"$CLUSTER/deaf"
    trap 'kill $!; exit 1' USR1
  fi
  sleep 30 &
  echo "$call" >>"$CALLS"
  wait
fi
echo "$call" >>"$CALLS"

# FAILS: what is to fail, with the code FAILS_WITH. The stand-in does first what the real tool would.
fails() {
  is_one_of "${FAILS:-}"
}

fail() {
  echo "Error: $name was told to fail" >&2
  exit "${FAILS_WITH:-1}"
}
