#!/usr/bin/env bats
# deploy.sh from end to end, and where each stage fails.

load environment

@test "the stages run in their order, announced, and the address is all there is on standard output" {
  with_registry
  deploy
  exits_with 0
  prints "http://192.0.2.2:30080"
  local stage number=0
  for stage in check build test push install verify address smoke; do
    number=$((number + 1))
    says "==> $number/8 $stage"
  done
  run grep --only-matching -E \
    '^(docker (info|build|push)|make|curl)| --dry-run=server| --rollback-on-failure| test counter|wide$| logs' \
    "$CALLS"
  [ "$output" = "$(printf '%s\n' "docker info" " --dry-run=server" "docker build" make \
    "docker push" " --rollback-on-failure" " test counter" curl wide curl curl curl curl curl curl " logs")" ] || complain "$output"
}

@test "Helm is told the chart, the image by its commit, to wait and to roll back" {
  with_registry
  deploy
  called "docker build --build-arg REVISION=$revision --tag $image $tree"
  called "docker push $image"
  called "$h upgrade counter $tree/helm/counter --install --set-string image=$image --server-side=true --force-conflicts --wait --timeout 300s --rollback-on-failure"
  called "$h test counter --timeout 300s"
}

@test "Helm 3 is told so in its own words, and one before 3.14 is refused" {
  with_registry
  HELM_VERSION=v3.14.0 deploy
  exits_with 0
  called "--wait --timeout 300s --atomic"
  not_called "--rollback-on-failure"
  HELM_VERSION=v3.13.3 deploy
  exits_with 69
  says "deploy.sh: helm v3.13.3 is too old"
}

@test "run again, it brings the release up to date" {
  with_registry
  deploy
  deploy
  exits_with 0
}

@test "the smoke tests show pods, headers, health, both visits and a pod's log" {
  with_registry
  deploy
  says "counter-5d9c7b8f6d-x2x4q   1/1     Running"
  says "HTTP/1.1 200 OK"
  says "/health: Microservice a is ready!"
  # HEAD counts, too, and was visit 42.
  says "two visits: 43, then 44"
  says_not "others"
  says "info listening on"
  called "$k logs counter-5d9c7b8f6d-x2x4q --tail 10"
}

@test "other visitors may come between the two visits" {
  with_registry
  GROWS_BY=5 deploy
  exits_with 0
  says "two visits: 51, then 56; others came in between"
}

@test "a number that does not grow fails, and says how to undo the deployment" {
  with_registry
  with_release
  GROWS_BY=0 deploy
  exits_with 1
  says "deploy.sh: two visits, and the number did not grow: 41, then 41"
  says "stopped in stage smoke with exit code 1"
  says "left: release counter at revision 2, deployed"
  says "to undo: $h rollback counter 1 --server-side=true --force-conflicts --wait --timeout 300s"
  prints ""
}

@test "another answer than the counter's fails" {
  with_registry
  HEALTH="Bad gateway" deploy
  exits_with 1
  says "/health answers something else: Bad gateway"
  GREETING="Welcome to nginx!" deploy
  exits_with 1
  says "/ answers something else: Welcome to nginx!"
}

@test "a counter of their own is hit twice as well, always the same" {
  with_registry
  deploy
  exits_with 0
  says "two hits of /hit/smoke-test/deployment: 8, then 9"
  called "curl --silent --show-error --fail --max-time 10 --no-fail --write-out \n%{http_code} http://192.0.2.2:30080/hit/smoke-test/deployment"
  OWN_GROWS_BY=4 deploy
  exits_with 0
  says "two hits of /hit/smoke-test/deployment: 13, then 17; others came in between"
}

@test "a counter of their own that does not grow, or answers something else, fails" {
  with_registry
  OWN_GROWS_BY=0 deploy
  exits_with 1
  says "two hits of /hit/smoke-test/deployment, and the number did not grow: 7, then 7"
  says "stopped in stage smoke with exit code 1"
  OWN_COUNTER=503 OWN_ANSWER='{"detail":"Redis does not answer in time."}' deploy
  exits_with 1
  says '/hit/smoke-test/deployment answers 503: {"detail":"Redis does not answer in time."}'
  OWN_COUNTER=200 OWN_ANSWER="Welcome to nginx!" deploy
  exits_with 1
  says "/hit/smoke-test/deployment answers something else: Welcome to nginx!"
  FAILS="/hit/" deploy
  exits_with 7
  says "stopped in stage smoke with exit code 7"
}

@test "a counter of their own that may not be there is told, and fails nothing" {
  with_registry
  OWN_COUNTER=404 OWN_ANSWER='{"status":404,"detail":"This server does not have this namespace.","error":"x"}' deploy
  exits_with 0
  prints "http://192.0.2.2:30080"
  says "/hit/smoke-test/deployment was not checked, since the answer is 404: This server does not have this namespace."
  says_not "two hits"
  OWN_COUNTER=403 OWN_ANSWER='{"detail":"There are as many counters as may be."}' deploy
  exits_with 0
  says "since the answer is 403: There are as many counters as may be."
  # A proxy that does not publish the path.
  OWN_COUNTER=404 OWN_ANSWER=$'<html>\r\n404 Not Found</html>' deploy
  exits_with 0
  says "since the answer is 404: <html>  404 Not Found</html>"
  # It was removed, and another one has taken its place.
  echo 0 >"$CLUSTER/hit-requests"
  OWN_COUNTER=403 OWN_UNTIL=1 deploy
  exits_with 0
  says "since the answer is 403: "
}

@test "a first deployment that fails in the smoke tests can be undone by removing the release" {
  with_registry
  GROWS_BY=0 deploy
  says "to undo: $h uninstall counter --wait --timeout 300s"
}

@test "a build that fails ends it with the build's exit code, and nothing was done" {
  with_registry
  FAILS="docker build" FAILS_WITH=17 deploy
  exits_with 17
  says "stopped in stage build with exit code 17"
  says_not "done:"
  not_called "docker push"
  not_called "--rollback-on-failure"
}

@test "tests that fail keep the image from being pushed" {
  with_registry
  FAILS="make --directory $tree test" FAILS_WITH=2 deploy
  exits_with 2
  says "stopped in stage test with exit code 2"
  says "done: built $image"
  says "to undo: docker image rm $image"
  not_called "docker push"
}

@test "a push that fails is told with a hint, and nothing is installed" {
  with_registry
  FAILS="docker push" deploy
  exits_with 1
  says "deploy.sh: the push failed; docker login may be needed"
  says "stopped in stage push"
  not_called "--rollback-on-failure"
}

@test "a first installation that fails is taken back, and the warnings are shown" {
  with_registry
  FAILS="$h upgrade" deploy
  exits_with 1
  says "stopped in stage install"
  says "Error: ImagePullBackOff"
  says "done: pushed $image"
  says "rolled back: there is no release counter; the volume claim of its Redis stays, if it had one"
  says "to undo: remove $image from its registry"
  not_called "$h test"
}

@test "an installation over another that fails leaves the other" {
  with_registry
  with_release
  FAILS="$h upgrade" deploy
  exits_with 1
  says "rolled back: release counter runs revision 1 again, as revision 3"
}

@test "what Helm could not roll back is told, and how to" {
  with_registry
  with_release
  FAILS="$h upgrade" LEAVES=pending-upgrade deploy
  exits_with 1
  says "left: release counter at revision 2, pending-upgrade"
  says "to undo: $h rollback counter 1 --server-side=true --force-conflicts --wait --timeout 300s"
}

@test "a release that Helm refused to touch is told to be as it was" {
  with_registry
  with_release
  FAILS="$h upgrade" LEAVES=untouched deploy
  exits_with 1
  says "not changed: release counter runs revision 1"
}

@test "a release that fails its tests in the cluster is rolled back" {
  with_registry
  with_release
  FAILS="$h test" FAILS_WITH=3 deploy
  exits_with 3
  called "$h rollback counter 1 --server-side=true --force-conflicts --wait --timeout 300s"
  says "stopped in stage verify with exit code 3"
  says "rolled back: release counter runs revision 1 again, as revision 3"
}

@test "a first release that fails its tests in the cluster is removed" {
  with_registry
  FAILS="$h test" deploy
  exits_with 1
  called "$h uninstall counter --wait --timeout 300s"
  says "rolled back: there is no release counter"
}

@test "a release whose last roll-back failed goes back to what served before, and is not removed" {
  with_registry
  with_release
  helm upgrade counter
  sed -i 's/status: deployed/status: failed/' "$CLUSTER/history"
  FAILS="$h test" deploy
  called "$h rollback counter 1 "
  not_called "uninstall"
}

@test "a roll-back that fails is told, with the first exit code" {
  with_registry
  with_release
  FAILS="$h @(test|rollback)" FAILS_WITH=4 deploy
  exits_with 4
  says "deploy.sh: the roll-back failed"
  says "left: release counter at revision 2, deployed"
  says "to undo: $h rollback counter 1 --server-side=true --force-conflicts --wait --timeout 300s"
}

@test "an Ingress that gets no address is waited for as long as was said" {
  with_registry
  INGRESS_CLASS=nginx deploy --address-timeout 1
  exits_with 75
  says "waited 1 seconds for an address of the Ingress"
  says "--address node-port or port-forward"
  says "left: release counter at revision 1, deployed"
  says "to undo: $h uninstall counter"
}

@test "an address that does not answer in time fails with curl's reason" {
  with_registry
  FAILS="curl" deploy --address-timeout 1
  exits_with 75
  says "curl: (7) Failed to connect"
  says "waited 1 seconds for an answer at http://192.0.2.2:30080/health"
}

@test "a visit that fails ends it with curl's exit code" {
  with_registry
  FAILS="--head" deploy
  exits_with 7
  says "stopped in stage smoke with exit code 7"
}

@test "a cluster that does not answer is noticed before anything is built" {
  with_registry
  FAILS="$k --request-timeout 10s version" deploy
  exits_with 69
  says "deploy.sh: the cluster does not answer"
  not_called "docker build"
}

@test "what Helm refuses is refused before anything is built" {
  with_registry
  FAILS=dry-run deploy --set typo=1
  exits_with 64
  says "Error: values don't meet the specifications of the schema(s)"
  says "deploy.sh: Helm refuses these values, or what is in the cluster already"
  not_called "docker build"
}

@test "a namespace is made only when it is missing, which takes a right of its own" {
  with_registry
  deploy
  not_called "--create-namespace"
  FAILS="get namespace" deploy
  exits_with 0
  not_called "--create-namespace"
  rm "$CLUSTER/history"
  NAMESPACE_MISSING=yes deploy --namespace shop
  exits_with 0
  called "--install --create-namespace"
}

@test "a namespace that was made is told after a failure" {
  with_registry
  NAMESPACE_MISSING=yes GROWS_BY=0 deploy --namespace shop
  exits_with 1
  says "made: namespace shop"
  says "to undo: kubectl --context test-cluster delete namespace shop"
  rm "$CLUSTER/history"
  NAMESPACE_MISSING=yes FAILS="docker push" deploy --namespace shop
  says_not "made: namespace"
}

@test "what others changed by hand is overwritten, and told" {
  with_registry
  CONFLICT='conflict with "kubectl-set" using apps/v1: .spec.replicas' deploy
  not_called "kubectl --context test-cluster --namespace default apply"
  CONFLICT='conflict with "kubectl-set" using apps/v1: .spec.replicas' deploy
  exits_with 0
  says "changed by others since it was deployed, and to be overwritten:"
  says '      conflict with "kubectl-set" using apps/v1: .spec.replicas'
  called "--server-side=true --force-conflicts"
  # What a Helm of before has written is not from others.
  CONFLICT=$'conflicts with "helm" using apps/v1:\n- .spec.paused\nconflicts with "kubectl-edit" using v1:\n- .spec.type' \
    deploy
  says $'      conflicts with "kubectl-edit" using v1:\n      - .spec.type'
  says_not ".spec.paused"
  CONFLICT='conflict with "helm" using apps/v1: .spec.paused' deploy
  says_not "changed by others"
}

@test "the replicas that the autoscaler adds are waited for" {
  with_registry
  MIN_REPLICAS=3 deploy
  exits_with 0
  [ "$(cat "$CLUSTER/ready")" = 3 ] || complain "it was asked $(cat "$CLUSTER/ready") times"
}

@test "after a failure, the warnings of this release and this time are shown" {
  with_registry
  FAILS="$h upgrade" deploy
  exits_with 1
  says $'Pod/counter-5d9c7b8f6d-x2x4q\tFailed: Error: ImagePullBackOff\tlast at'
  says_not "of last week"
  says_not "HorizontalPodAutoscaler"
  says_not "of another release"
}

@test "the last words of a container that crashes are kept, and shown after a failure" {
  with_registry
  ENDED="counter-5d9c7b8f6d-x2x4q counter 64 2026-01-02T03:04:05Z" SLOW=3 FAILS="$h upgrade" deploy
  exits_with 1
  says "The last words of counter-5d9c7b8f6d-x2x4q, which ended with exit code 64:"
  says "counter: the last words"
  called "logs counter-5d9c7b8f6d-x2x4q --container counter --previous --tail 10"
}

@test "a log that may not be read fails nothing" {
  with_registry
  FAILS=" logs " deploy
  exits_with 0
  says "the log cannot be read"
  not_called "--logs"
}

@test "the pod of a test that failed is removed after its log was shown" {
  with_registry
  with_release
  FAILS="$h test" deploy
  says "The test's log:"
  called "delete pods --selector app.kubernetes.io/instance=counter,app.kubernetes.io/component=test --wait=false"
}

@test "an answer of 503 fails it, also to a visit after others that were counted" {
  with_registry
  VISITS_UNTIL_503=2 deploy
  exits_with 22
  says "curl: (22) The requested URL returned error: 503"
  says "stopped in stage smoke with exit code 22"
}

@test "a release that is being uninstalled is left alone" {
  with_registry
  with_release
  sed -i 's/status: deployed/status: uninstalling/' "$CLUSTER/history"
  deploy
  exits_with 69
  says "release counter is uninstalling"
}

@test "nothing is left in the folder for temporary files" {
  with_registry
  PATH=$BATS_SAVED_PATH mkdir "$BATS_TEST_TMPDIR/scratch"
  TMPDIR=$BATS_TEST_TMPDIR/scratch deploy
  TMPDIR=$BATS_TEST_TMPDIR/scratch FAILS="$h upgrade" deploy
  run env PATH="$BATS_SAVED_PATH" ls -A "$BATS_TEST_TMPDIR/scratch"
  [ -z "$output" ] || complain "left: $output"
}

@test "a release that someone else is at work on is left alone" {
  with_registry
  with_release
  FAILS="$h upgrade" LEAVES=pending-upgrade deploy
  : >"$CALLS"
  deploy
  exits_with 69
  says "release counter is pending-upgrade: someone is at work on it, or was cut off"
  says "$h rollback counter 1 --server-side=true --force-conflicts --wait --timeout 300s"
  not_called "docker build"
}

@test "a state that Helm cannot tell is not taken for none" {
  with_registry
  FAILS="$h history" deploy
  exits_with 69
  says "kubernetes cluster unreachable"
  says "deploy.sh: Helm cannot tell the state of release counter"
  not_called "docker build"
}
