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
  way=${setting[address]}
  case $way in
    auto) choose_first_way ;;
    ingress)
      [ -n "$(ingress '.metadata.name')" ] ||
        fail 69 "release $release has no Ingress; --set ingress.enabled=true gives it one"
      is_served || fail 69 "$not_served"
      ;;
    # Nobody waits for an address that a Service of another type never gets.
    load-balancer)
      [ "$(service '.spec.type')" = LoadBalancer ] ||
        fail 69 "the Service is no load balancer; --set servicetype=LoadBalancer makes it one"
      ;;
  esac
}

choose_first_way() {
  if [ -n "$(ingress '.metadata.name')" ]; then
    if is_served; then
      way=ingress
      return
    fi
    say "$not_served. Trying the Service"
  fi
  case $(service '.spec.type') in
    LoadBalancer) way="load-balancer" ;;
    NodePort) way="node-port" ;;
    *) way="port-forward" ;;
  esac
}

# Whether a controller serves the Ingress, as far as its class tells: there must be one, and the one
# that it names, if any. If the cluster does not tell, there are taken to be some. A controller that needs
# none is named by the annotation. Sets `not_served`, the reason why not.
is_served() {
  local classes class
  classes=$(get ingressclass --output name 2>/dev/null) || return 0
  [[ $(ingress '.metadata.annotations') != *'"kubernetes.io/ingress.class":'* ]] || return 0
  class=$(ingress '.spec.ingressClassName')
  not_served="nobody serves the Ingress: the cluster has no ingress class${class:+ $class}"
  if [ -n "$class" ]; then
    [[ $classes$'\n' == *"/$class"$'\n'* ]]
  else
    [ -n "$classes" ]
  fi
}

find_ingress() {
  local host scheme=http
  await "an address of the Ingress" has_address ingress
  host=$(first_host "$(ingress '.spec.rules[*].host')")
  ! has_certificate "$host" "$(ingress '.spec.tls')" || scheme=https
  base_url=$scheme://${host:-$address}
  if [ -n "$host" ]; then
    say "visiting $host at $address, whatever its DNS record says"
    curl+=(--connect-to "$host::$address:")
  fi
}

# The first of the hosts of an Ingress that is a name, or else a name that fits its first pattern:
# *.example.com is every name with one more label.
first_host() {
  local host hosts
  read -r -a hosts <<<"$1"
  for host in "${hosts[@]}"; do
    [[ $host == \** ]] || break
  done
  [[ ${host:-} != \** ]] || host=${hosts[0]/#\*/counter}
  echo "${host:-}"
}

# Whether the Ingress has a certificate for a host: has_certificate HOST TLS, with .spec.tls as JSON.
# What names no hosts is for all.
has_certificate() {
  [[ $2 == *"\"$1\""* || $2 == *"\"*.${1#*.}\""* || $2 == *'{"secretName"'* || $2 == *'{}'* ]]
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
  node=$(serving_pod 2)
  # Who may not see nodes knows the internal address at least.
  address=$(get node "$node" \
    --output 'jsonpath={.status.addresses[?(@.type=="ExternalIP")].address}' 2>/dev/null || true)
  address=${address:-$(serving_pod 3)}
  base_url=http://$(in_url "$address"):$port
}

# The forwarding lasts as long as the script.
find_port_forward() {
  service_name=$(service '.metadata.name')
  service_port=$(service '.spec.ports[0].port')
  accompany "${kubectl[@]}" port-forward --address 127.0.0.1 "service/$service_name" \
    ":$service_port" >"$scratch/port-forward" 2>&1
  await "the port-forward" is_forwarding
  # For this command alone: kubectl and Helm need the variable as it is.
  curl+=(--noproxy 127.0.0.1)
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

# A field of the release's Ingress, or of its Service.
ingress() {
  get ingress --selector "$whole_release" --output "jsonpath={.items[*]$1}"
}

service() {
  get service --selector "$server" --output "jsonpath={.items[*]$1}"
}

# The name (1), the node (2) or the node's address (3) of the first pod of the release that serves:
# one that is ready and is not being stopped.
serving_pod() {
  local pods template='{range .items[*]}{.metadata.name} {.spec.nodeName} {.status.hostIP} '
  template+='{.status.conditions[?(@.type=="Ready")].status} {.metadata.deletionTimestamp}{"\n"}{end}'
  pods=$(get pods --selector "$server" --output "jsonpath=$template") || return
  awk -v field="$1" '$4 == "True" && NF == 4 { print $field; found = 1; exit } END { exit !found }' \
    <<<"$pods" || fail 69 "release $release has no pod that serves"
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
