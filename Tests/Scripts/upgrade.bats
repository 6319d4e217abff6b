#!/usr/bin/env bats
# What upgrade.sh does otherwise than deploy.sh.

load environment

@test "it pushes a new image, keeps the release's values, and prints the address" {
  with_registry
  with_release
  upgrade
  exits_with 0
  prints "http://192.0.2.2:30080"
  local stage number=0
  for stage in check build push upgrade verify address smoke; do
    number=$((number + 1))
    says "==> $number/7 $stage"
  done
  called "docker build --build-arg REVISION=$revision --tag $image $tree"
  called "docker push $image"
  called "$h upgrade counter $tree/helm/counter --reset-then-reuse-values --set-string image=$image --server-side=true --force-conflicts --wait --timeout 300s --rollback-on-failure"
  called "$h test counter"
  not_called "--install"
  not_called "make"
}

@test "it refuses a release that does not exist" {
  with_registry
  upgrade --release other
  exits_with 69
  says "upgrade.sh: there is no release other to upgrade; deploy.sh installs one"
  not_called "docker build"
}

@test "it refuses to build an image under the tag that runs" {
  with_registry
  with_release
  RUNNING_IMAGE=$image upgrade
  exits_with 64
  says "upgrade.sh: release counter runs $image already"
  not_called "docker build"
  RUNNING_IMAGE=$image upgrade --skip-build --skip-push --set replicaCount=4
  exits_with 0
}

@test "an upgrade that fails is rolled back" {
  with_registry
  with_release
  FAILS="$h upgrade" FAILS_WITH=5 upgrade
  exits_with 5
  says "stopped in stage upgrade with exit code 5"
  says "rolled back: release counter runs revision 1 again, as revision 3"
}

@test "an upgrade that fails its tests in the cluster is rolled back" {
  with_registry
  with_release
  FAILS="$h test" upgrade
  exits_with 1
  called "$h rollback counter 1 --server-side=true --force-conflicts --wait"
  says "rolled back: release counter runs revision 1 again, as revision 3"
}
