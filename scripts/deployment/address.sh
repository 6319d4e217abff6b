# shellcheck shell=bash
# Where the counter is reached from outside, which depends on what the cluster has.

base_url=
curl=(curl --silent --show-error --fail --max-time 10)

# Finds the address, by the way that was asked for or the first that there is, and waits for it to
# answer. Sets `way` and `base_url`.
find_address() {
  deadline=$((SECONDS + ${setting[address-timeout]}))
  choose_way
  say "reached by $way"
  "find_${way//-/_}"
  await "an answer at $base_url/health" answers
}

choose_way() {
  local type
  way=${setting[address]}
  [ "$way" = auto ] || return 0
  if [ -n "$(ingress '.metadata.name')" ]; then
    if has_ingress_class; then
      way=ingress
      return
    fi
    say "nobody serves the Ingress: the cluster has no ingress class. Trying the Service"
  fi
  type=$(service '.spec.type')
  case $type in
    LoadBalancer) way="load-balancer" ;;
    NodePort) way="node-port" ;;
    *) way="port-forward" ;;
  esac
}

find_ingress() {
  local host scheme=http
  await "an address of the Ingress" has_address ingress
  host=$(ingress '.spec.rules[*].host')
  host=${host%% *}
  [ -z "$(ingress '.spec.tls')" ] || scheme=https
  base_url=$scheme://${host:-$address}
  if [ -n "$host" ]; then
    say "visiting $host at $address, whatever its DNS record says"
    curl+=(--connect-to "$host::$address:")
  fi
}

find_load_balancer() {
  await "an address of the load balancer" has_address service
  base_url=http://$address:$(service '.spec.ports[0].port')
}

# A node that runs a replica answers under either traffic policy of the Service.
find_node_port() {
  local port node
  port=$(service '.spec.ports[0].nodePort')
  [ -n "$port" ] || fail 69 "the Service has no node port; --set servicetype=NodePort gives it one"
  node=$(running_pod '.spec.nodeName')
  # Who may not see nodes knows the internal address at least.
  address=$(get node "$node" \
    --output 'jsonpath={.status.addresses[?(@.type=="ExternalIP")].address}' 2>/dev/null || true)
  address=${address:-$(running_pod '.status.hostIP')}
  base_url=http://$(in_url "$address"):$port
}

# The forwarding lasts as long as the script.
find_port_forward() {
  service_name=$(service '.metadata.name')
  service_port=$(service '.spec.ports[0].port')
  accompany "${kubectl[@]}" port-forward --address 127.0.0.1 "service/$service_name" \
    ":$service_port" >"$scratch/port-forward" 2>&1
  await "the port-forward" is_forwarding
  export no_proxy=127.0.0.1
}

is_forwarding() {
  local port
  kill -0 "$companion" 2>/dev/null || fail 69 "kubectl port-forward ended: $(cat "$scratch/port-forward")"
  port=$(sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$scratch/port-forward")
  [ -n "$port" ] && base_url=http://127.0.0.1:$port
}

# Whether the Ingress or Service has been given an address. Sets `address`.
has_address() {
  address=$("$1" ".status.loadBalancer.ingress[0]['ip','hostname']")
  address=$(in_url "${address%% *}")
  [ -n "$address" ]
}

answers() {
  "${curl[@]}" "$base_url/health" >"$scratch/answer" 2>"$scratch/error"
}

await() {
  local what=$1
  shift
  : >"$scratch/error"
  wait_until "$deadline" "$what" "$@" && return
  cat "$scratch/error" >&2
  fail 75 "no answer in time: waited ${setting[address-timeout]} seconds for $what." \
    "If it cannot be reached like this from here: --address node-port or port-forward"
}

# Who may not list ingress classes takes it that there are some.
has_ingress_class() {
  local classes
  classes=$(get ingressclass --output name 2>/dev/null) || return 0
  [ -n "$classes" ]
}

# A field of the release's Ingress, of its Service, or of the first of its running pods.
ingress() {
  get ingress --selector "$whole_release" --output "jsonpath={.items[*]$1}"
}

service() {
  get service --selector "$server" --output "jsonpath={.items[*]$1}"
}

running_pod() {
  local values
  values=$(get pods --selector "$server" --field-selector status.phase=Running \
    --output "jsonpath={.items[*]$1}")
  [ -n "$values" ] || fail 69 "release $release has no running pod"
  echo "${values%% *}"
}

# An address as it stands in a URL: IPv6 in brackets.
in_url() {
  if [[ $1 == *:* ]]; then
    echo "[$1]"
  else
    echo "$1"
  fi
}

print_address() {
  is_on dry-run && return
  if [ "$way" = port-forward ]; then
    say "the port-forward has ended; for another: $(quoted "${kubectl[@]}" port-forward \
      --address 127.0.0.1 "service/$service_name" "8000:$service_port")"
  else
    echo "$base_url" >&3
  fi
}
