#!/usr/bin/env bats
# The scripts with the chart, the real helm, kubectl, curl and counter. The cluster is a stand-in
# that keeps objects and runs nothing; docker and make are stand-ins, too.

load environment

setup() {
  prepare
  cp -R "$original/helm" "$tree"
  local python=$original/.build/python/bin
  ln -sf "$python"/{kubectl,helm,helm3} "$(command -v curl)" "$tools"
  ln -s "$python/helm" "$tools/helm4"
  with_registry

  "$original/.build/release/counter" --host 127.0.0.1 --port 0 --metrics-port 0 \
    --data "$BATS_TEST_TMPDIR/data" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
  counter=$!
  wait_for "$BATS_TEST_TMPDIR/log" "listening on"
  port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/log")
  export KUBECONFIG=$BATS_TEST_TMPDIR/kubeconfig
  mkdir "$BATS_TEST_TMPDIR/of-cluster"
  TMPDIR=$BATS_TEST_TMPDIR/of-cluster \
    "$python/python" "$original/Tests/Kubernetes/cluster.py" "$port" "$KUBECONFIG" 3>&- &
  cluster=$!
  wait_for "$KUBECONFIG" current-context
  PATH=$tools
}

teardown() {
  PATH=$BATS_SAVED_PATH
  [ -n "${cluster:-}" ] || return 0
  kill "$counter" "$cluster"
  wait "$counter" "$cluster" || true
  [ -z "$(ls -A "$BATS_TEST_TMPDIR/of-cluster")" ]
}

# What the cluster runs now.
runs() {
  local image
  image=$(kubectl get deployment counter --output 'jsonpath={.spec.template.spec.containers[0].image}')
  [ "$image" = "registry.example/team/counter:$1" ] || complain "it runs $image"
}

@test "a deployment and an upgrade, which keeps the release's values" {
  deploy --timeout 20 --tag one --set maxReplicas=5
  exits_with 0
  prints "http://127.0.0.1:$port"
  says "two visits: 2, then 3"
  says "two hits of /hit/smoke-test/deployment: 1, then 2"
  runs one
  upgrade --tag two
  exits_with 0
  prints "http://127.0.0.1:$port"
  says "two visits: 5, then 6"
  says "two hits of /hit/smoke-test/deployment: 3, then 4"
  runs two
  [ "$(kubectl get horizontalpodautoscaler counter --output 'jsonpath={.spec.maxReplicas}')" = 5 ]
}

@test "Helm 3 does it, too" {
  with_helm helm3
  deploy --timeout 20 --tag one
  exits_with 0
  upgrade --tag two
  exits_with 0
  runs two
  upgrade --tag broken --timeout 3
  exits_with 1
  says "rolled back: release counter runs revision 2 again, as revision 4"
  runs two
}

@test "an upgrade whose pods do not get ready is rolled back" {
  deploy --timeout 20 --tag one
  upgrade --tag broken --timeout 3
  exits_with 1
  says "stopped in stage upgrade"
  says "rolled back: release counter runs revision 1 again, as revision 3"
  runs one
  upgrade --tag two
  exits_with 0
  runs two
}

@test "a first deployment whose pods do not get ready is removed" {
  deploy --timeout 20 --tag broken --timeout 3
  exits_with 1
  says "rolled back: there is no release counter"
  [ -z "$(kubectl get deployment,service --output name)" ]
}

@test "the command that it says undoes an upgrade does so" {
  deploy --timeout 20 --tag one
  kill -STOP "$counter"
  upgrade --tag two --address-timeout 1
  kill -CONT "$counter"
  exits_with 75
  runs two
  # Not even what was changed by hand meanwhile hinders it.
  kubectl set image deployment/counter counter=registry.example/team/counter:by-hand
  bash -c "$(sed -n 's/^ *to undo: \(helm .*\)/\1/p' <<<"$stderr")"
  runs one
}

@test "a signal while Helm waits lets it roll back" {
  deploy --timeout 20 --tag one
  "$tree/upgrade.sh" --tag broken 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
  local script=$!
  # Helm has applied the chart and waits for the pods.
  wait_for "$BATS_TEST_TMPDIR/errors" "counter-3-"
  kill "$script"
  status=0
  wait "$script" || status=$?
  stderr=$(<"$BATS_TEST_TMPDIR/errors")
  exits_with 143
  says "rolled back: release counter runs revision 1 again, as revision 3"
  runs one
}

@test "the address of an Ingress is read as kubectl gives it" {
  deploy --timeout 20 --tag one
  kubectl apply --filename - <<'YAML'
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
YAML
  kubectl patch ingress gateway-ingress --type merge \
    --patch '{"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}'
  deploy --timeout 20 --tag one --set 'ingress.hosts={count.example}' --address-timeout 1
  says "visiting count.example at 127.0.0.1, whatever its DNS record says"
  # Nobody listens on its port here.
  exits_with 75
  says "waited 1 seconds for an answer at http://count.example/health"
}

# Tells the cluster how to behave: see Cluster.behave.
cluster_is() {
  curl --silent --fail --noproxy '*' --data "$1" "$(server)/stand-in" >"$BATS_TEST_TMPDIR/told"
}

server() {
  kubectl config view --output 'jsonpath={.clusters[0].cluster.server}'
}

with_helm() {
  PATH=$BATS_SAVED_PATH ln -sf "$1" "$tools/helm"
}

@test "no right beyond the namespace is needed when it is there, and none to read logs" {
  cluster_is '{"denied": ["create namespaces", "patch namespaces", "get namespaces", "get nodes",
    "get ingressclasses", "get pods/log", "get events"]}'
  local helm
  for helm in helm4 helm3; do
    with_helm "$helm"
    deploy --timeout 20 --tag one --namespace web --address node-port
    exits_with 0
    prints "http://127.0.0.1:$port"
    upgrade --timeout 20 --tag two --namespace web --address node-port
    exits_with 0
    helm --namespace web uninstall counter
  done
}

@test "a namespace that is missing is made" {
  deploy --timeout 20 --tag one --namespace shop
  exits_with 0
  says "namespace shop is missing, and will be made"
  [ "$(kubectl get namespace shop --output name)" = namespace/shop ]
}

@test "both tools work in the cluster that the script names, whatever Helm's environment says" {
  local production=$BATS_TEST_TMPDIR/production
  TMPDIR=$BATS_TEST_TMPDIR "$original/.build/python/bin/python" \
    "$original/Tests/Kubernetes/cluster.py" "$port" "$production" 3>&- &
  local other=$!
  wait_for "$production" current-context
  sed 's/stand-in/production/g' "$production" >"$production.named"
  export KUBECONFIG=$KUBECONFIG:$production.named
  local url
  url=$(kubectl --context production config view --minify --output 'jsonpath={.clusters[0].cluster.server}')
  HELM_KUBECONTEXT=production HELM_KUBEAPISERVER=$url HELM_NAMESPACE=elsewhere HELM_KUBETOKEN=secret \
    deploy --timeout 20 --tag one
  kill "$other"
  exits_with 0
  says "cluster stand-in, namespace default"
  runs one
}

@test "what was changed by hand in an emergency does not block the next release, nor its roll-back" {
  local by_of
  # The Helm that upgrades, and the one that made the release: Helm 4 keeps to the way of the latter.
  for by_of in helm4:helm4 helm4:helm3 helm3:helm3; do
    with_helm "${by_of#*:}"
    deploy --timeout 20 --tag one
    with_helm "${by_of%:*}"
    kubectl set image deployment/counter counter=registry.example/team/counter:by-hand
    upgrade --timeout 20 --tag two
    exits_with 0
    says "changed by others since it was deployed, and to be overwritten:"
    says 'conflict with "kubectl-set" using v1: .spec.template.spec.containers[name="counter"].image'
    says_not '"helm"'
    runs two
    kubectl set image deployment/counter counter=registry.example/team/counter:by-hand
    upgrade --tag broken --timeout 3
    exits_with 1
    says "rolled back: release counter runs revision 2"
    runs two
    helm uninstall counter
  done
}

@test "a value with a typo is refused before anything is built, also one of the release" {
  deploy --timeout 20 --tag one --set replicas=3
  exits_with 64
  says "additional properties 'replicas' not allowed"
  ! grep --quiet "docker build" "$CALLS" || complain "it was built"
  deploy --timeout 20 --tag one
  : >"$CALLS"
  upgrade --tag two --set-string port=80
  exits_with 64
  says "at '/port': got string, want integer"
  ! grep --quiet "docker build" "$CALLS" || complain "it was built"
}

@test "a second release with the names of the first is refused before anything is built" {
  deploy --timeout 20 --tag one
  : >"$CALLS"
  deploy --timeout 20 --tag one --release second
  exits_with 64
  says "cannot be imported into the current release"
  ! grep --quiet "docker build" "$CALLS" || complain "it was built"
}

@test "all replicas are ready in the end, also those that the autoscaler adds" {
  cluster_is '{"autoscaler_delay": 3}'
  deploy --timeout 20 --tag one
  exits_with 0
  [ "$(kubectl get deployment counter --output 'jsonpath={.status.readyReplicas}')" = 3 ]
}

@test "a terminal that is lost while Helm waits lets it roll back" {
  deploy --timeout 20 --tag one
  set -m
  env --default-signal=HUP "$tree/upgrade.sh" --tag broken --timeout 60 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
  local script=$!
  set +m
  wait_for "$BATS_TEST_TMPDIR/errors" "counter-3-"
  kill -HUP -- "-$script"
  status=0
  wait "$script" || status=$?
  stderr=$(<"$BATS_TEST_TMPDIR/errors")
  exits_with 129
  says "rolled back: release counter runs revision 1 again, as revision 3"
  runs one
}

@test "no pod of a test stays, neither after a deployment nor after an upgrade that was taken back" {
  cluster_is '{"quota": true}'
  deploy --timeout 20 --tag one
  exits_with 0
  [ -z "$(kubectl get pods --selector app.kubernetes.io/component=test --output name)" ]
  upgrade --tag two --timeout 3 --set test.resources=null
  exits_with 1
  says "stopped in stage verify"
  says "rolled back: release counter runs revision 1 again"
  [ -z "$(kubectl get pods --selector app.kubernetes.io/component=test --output name)" ]
  runs one
}

@test "a change that keeps Redis from getting ready is taken back, with both Helms" {
  local helm
  for helm in helm3 helm4; do
    cluster_is '{"quota": true}'
    with_helm "$helm"
    deploy --timeout 20 --tag one
    upgrade --tag two --timeout 3 --set redis.image=redis:broken
    exits_with 1
    says "rolled back: release counter runs revision 1 again"
    upgrade --tag two --timeout 3 --set redis.resources.requests=null
    exits_with 1
    says "rolled back: release counter runs revision 3 again"
    upgrade --tag two --timeout 20
    exits_with 0
    runs two
    helm uninstall counter
  done
}
