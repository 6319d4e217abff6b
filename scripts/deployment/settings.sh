# shellcheck shell=bash
# What an operator can set. Every flag has a variable of its own: --address-timeout is
# DEPLOY_ADDRESS_TIMEOUT. A flag beats the environment; an empty variable counts as not set.

declare -A setting=(
  [registry]=''
  [image]=counter
  [tag]=''
  [release]=counter
  [namespace]=''
  [context]=''
  [values]=''
  [set]=''
  [set-string]=''
  [address]=auto
  [timeout]=300
  [address-timeout]=180
  [container-tool]=''
  [skip-build]=false
  [skip-tests]=false
  [skip-push]=false
  [dry-run]=false
)
switches=(skip-build skip-tests skip-push dry-run)
values_files=()
# The values that are given one by one, each after its flag for Helm.
overrides=()

describe_settings() {
  cat <<'SETTINGS'
  --registry HOST[/PATH]   where the image is pushed to
  --image NAME             its name there (counter)
  --tag TAG                its tag (the commit's hash, when all is committed); never latest
  --release NAME           name of the Helm release (counter)
  --namespace NAME         namespace (the context's); deploy.sh makes it when it is missing
  --context NAME           context of the kubeconfig file (the current one). Helm and kubectl are
                           both given the context and the namespace; HELM_KUBE… and
                           HELM_NAMESPACE, which only Helm reads, have no effect
  --values FILE            values for the chart; may be repeated, the last one wins.
                           In the environment, a colon stands between two files
  --set KEY=VALUE          a value for the chart; may be repeated, beats the files
  --set-string KEY=VALUE   the same, for a text that looks like a number or like true or false
  --address WAY            how the counter is reached: ingress, load-balancer, node-port,
                           port-forward, or auto: the first of them that the cluster has (auto)
  --timeout SECONDS        longest wait for Helm: pods ready, roll-back, tests (300)
  --address-timeout SECONDS  longest wait for the public address and its first answer (180)
  --container-tool NAME    docker or podman (the first that works)
  --skip-build             the image was built before
  --skip-tests             no make test, which only deploy.sh runs, and no helm test
  --skip-push              the cluster's nodes have the image already
  --dry-run                print the commands on standard output and run none; only git and the
                           versions of the tools are asked, the cluster is not
  --help                   print this

In the environment, --address-timeout is DEPLOY_ADDRESS_TIMEOUT, and so on; --skip-build is
DEPLOY_SKIP_BUILD=true. A flag beats the environment.

Exit codes: 0 when all is well; 1 when the counter answers something wrong; 64 for bad usage;
69 when something that is needed is missing; 75 when a wait ran out; 128 and the signal's number
when interrupted or when the terminal is lost; otherwise that of the command that failed. What was
done by then, what was rolled back and how to undo the rest is said at the end.
SETTINGS
}

read_settings() {
  read_environment
  read_flags "$@"
  check_settings
}

read_environment() {
  local name variable
  for name in "${!setting[@]}"; do
    variable=DEPLOY_${name^^}
    variable=${variable//-/_}
    [ -z "${!variable:-}" ] || setting[$name]=${!variable}
  done
}

read_flags() {
  local name value
  while [ $# -gt 0 ]; do
    if [ "$1" = --help ] || [ "$1" = -h ]; then
      print_usage
      exit 0
    fi
    [[ $1 =~ ^--([a-z-]+)(=(.*))?$ && -v setting[${BASH_REMATCH[1]}] ]] ||
      refuse "unknown argument $1: see --help"
    name=${BASH_REMATCH[1]}
    if [ -n "${BASH_REMATCH[2]}" ]; then
      value=${BASH_REMATCH[3]}
    elif is_switch "$name"; then
      value=true
    else
      [ $# -ge 2 ] || refuse "--$name needs a value: see --help"
      value=$2
      shift
    fi
    shift
    case $name in
      values) values_files+=("$value") ;;
      set | set-string) overrides+=("--$name" "$value") ;;
      *) setting[$name]=$value ;;
    esac
  done
  [ "${#values_files[@]}" -gt 0 ] || IFS=: read -r -a values_files <<<"${setting[values]}"
  for name in set-string set; do
    is_given "--$name" "${overrides[@]}" || [ -z "${setting[$name]}" ] ||
      overrides=("--$name" "${setting[$name]}" "${overrides[@]}")
  done
}

# Whether a word is one of others: is_given WORD OTHER...
is_given() {
  local word=$1 other
  shift
  for other in "$@"; do
    [ "$other" != "$word" ] || return 0
  done
  return 1
}

check_settings() {
  local name file
  local -r component='[a-z0-9]([a-z0-9-]*[a-z0-9])?'
  # As in the names of images: github.com/distribution/reference. What has neither a dot nor a port
  # is a part of the path, except localhost.
  local -r path_component='[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*'
  local -r label='[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?'
  local -r port=":[0-9]+" address="\[[0-9a-fA-F:]+\]"
  local -r registry_host="(localhost|$label(\\.$label)+($port)?|$label$port|$address($port)?)"

  for name in "${switches[@]}"; do
    must_match "$name" '^(true|false)$' "true or false"
  done
  for name in timeout address-timeout; do
    must_match "$name" '^[1-9][0-9]{0,4}$' "a number of seconds from 1 to 99999"
  done
  [[ ${setting[registry]} != *://* ]] ||
    refuse "--registry takes a host without https://: ${setting[registry]}"
  must_match registry "^(($registry_host|$path_component)(/$path_component)*)?\$" \
    "a registry, such as ghcr.io/someone, with small letters in its path"
  must_match image "^$path_component(/$path_component)*\$" "the name of an image, in small letters"
  [ $((${#setting[registry]} + ${#setting[image]})) -le 254 ] ||
    refuse "--registry and --image together take at most 254 characters"
  must_match tag '^([a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?$' "the tag of an image"
  [ "${setting[tag]}" != latest ] ||
    refuse "--tag latest could be any image: a release needs a tag of its own"
  must_match release "^$component\$" "the name of a release: small letters, digits and hyphens"
  [ "${#setting[release]}" -le 53 ] || refuse "--release takes at most 53 characters"
  must_match namespace "^($component)?\$" "a namespace: small letters, digits and hyphens"
  [ "${#setting[namespace]}" -le 63 ] || refuse "--namespace takes at most 63 characters"
  must_match address '^(auto|ingress|load-balancer|node-port|port-forward)$' \
    "auto, ingress, load-balancer, node-port or port-forward"
  must_match container-tool '^(docker|podman)?$' "docker or podman"
  for file in "${values_files[@]}"; do
    { [ -f "$file" ] && [ -r "$file" ]; } || refuse "--values takes a file that can be read: $file"
  done
}

# Refuses a setting that does not match a pattern, and says what it takes.
must_match() {
  [[ ${setting[$1]} =~ $2 ]] || refuse "--$1 takes $3: ${setting[$1]}"
}

refuse() {
  echo "$program: $*" >&2
  exit 64
}

is_switch() {
  [[ " ${switches[*]} " == *" $1 "* ]]
}

is_on() {
  [ "${setting[$1]}" = true ]
}
