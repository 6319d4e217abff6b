#!/usr/bin/env bats
# The scripts with the chart, the real helm, kubectl, curl and counter. The cluster is a stand-in
# that keeps objects and runs nothing; docker and make are stand-ins, too.

load environment

setup() {
  prepare
  cp -R "$original/helm" "$tree"
  local python=$original/.build/python/bin
  ln -sf "$python"/{kubectl,helm,helm3} "$(command -v curl)" "$tools"
  with_registry

  "$original/.build/release/counter" --host 127.0.0.1 --port 0 \
    --data "$BATS_TEST_TMPDIR/data" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
  counter=$!
  wait_for "$BATS_TEST_TMPDIR/log" "listening on"
  port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/log")
  export KUBECONFIG=$BATS_TEST_TMPDIR/kubeconfig
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
  says "counter-test has something to say"
  runs one
  upgrade --tag two
  exits_with 0
  prints "http://127.0.0.1:$port"
  says "two visits: 5, then 6"
  runs two
  [ "$(kubectl get horizontalpodautoscaler counter --output 'jsonpath={.spec.maxReplicas}')" = 5 ]
}

@test "Helm 3 does it, too" {
  PATH=$BATS_SAVED_PATH ln -sf helm3 "$tools/helm"
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
  bash -c "$(sed -n 's/^ *to undo: \(helm .*\)/\1/p' <<<"$stderr")"
  runs one
}

@test "a signal while Helm waits lets it roll back" {
  deploy --timeout 20 --tag one
  "$tree/upgrade.sh" --tag broken 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
  local script=$!
  # Helm has applied the chart and waits for the pods.
  wait_for "$BATS_TEST_TMPDIR/errors" "counter-2-"
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
