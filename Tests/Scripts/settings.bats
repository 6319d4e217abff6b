#!/usr/bin/env bats
# Flags, environment, tools, dry runs: what both scripts take and need.

load environment

@test "a flag beats the environment, which beats the default" {
  DEPLOY_REGISTRY=from.example DEPLOY_NAMESPACE=one DEPLOY_TIMEOUT=7 deploy --namespace two --timeout=8
  exits_with 0
  called "docker push from.example/counter:$commit"
  called "helm --namespace two upgrade counter"
  called "--timeout 8s"
  not_called "namespace one"
}

@test "every setting reaches the tools" {
  echo "port: 80" >"$BATS_TEST_TMPDIR/my values.yaml"
  deploy --registry r.example --image team/visits --tag v2 --release blue --namespace shop \
    --context far --values "my values.yaml" --values "$BATS_TEST_TMPDIR/my values.yaml" \
    --set a=b --set c=d --container-tool podman
  exits_with 0
  called "podman push r.example/team/visits:v2"
  called "helm --kube-context far --namespace shop upgrade blue $tree/helm/counter --install --create-namespace --values my values.yaml --values $BATS_TEST_TMPDIR/my values.yaml --set a=b --set c=d --set-string image=r.example/team/visits:v2"
  called "kubectl --context far --namespace shop --request-timeout 10s get pods --selector app.kubernetes.io/instance=blue,app.kubernetes.io/component=server"
}

@test "values and switches can be set in the environment" {
  echo >"b c.yaml" && echo >d.yaml
  DEPLOY_VALUES="b c.yaml:d.yaml" DEPLOY_SET=a=b DEPLOY_SKIP_BUILD=true DEPLOY_SKIP_PUSH=true deploy
  exits_with 0
  called "--values b c.yaml --values d.yaml --set a=b"
  not_called "docker"
  DEPLOY_SKIP_PUSH=true deploy --skip-push=false
  exits_with 64
}

@test "stages are skipped by name, and said to be" {
  deploy --skip-build --skip-tests --skip-push
  exits_with 0
  says "==> 2/8 build: skipped"
  says "==> 3/8 test: skipped"
  says "==> 4/8 push: skipped"
  says "==> 6/8 verify: skipped"
  says "every node must have counter:$commit"
  not_called "make"
  not_called "docker"
  not_called "helm test"
}

@test "bad usage is one line and exit code 64, before anything is called" {
  local arguments
  for arguments in --nonsense -x word '--a]b' --tag=latest "--registry https://r.example" --timeout=0 \
    "--timeout soon" --image=Counter --tag=.a --release=A_b --namespace=-x --address=moon \
    --container-tool=lxc --skip-build=maybe --values=missing.yaml --registry; do
    # shellcheck disable=SC2086
    deploy $arguments
    exits_with 64
    [ "${#stderr_lines[@]}" -eq 1 ] || complain "$arguments: not one line"
    says "deploy.sh: "
    prints ""
  done
  [ ! -s "$CALLS" ] || complain "something was called"
}

@test "a bad variable is refused by the name of its flag" {
  DEPLOY_ADDRESS_TIMEOUT=never upgrade
  exits_with 64
  says "upgrade.sh: --address-timeout takes a number of seconds from 1 to 99999: never"
}

@test "--help tells every setting and changes nothing" {
  upgrade --help
  exits_with 0
  local flag
  for flag in registry image tag release namespace context values set address timeout address-timeout \
    container-tool skip-build skip-tests skip-push dry-run help; do
    [[ "$output" == *"  --$flag "* ]] || complain "--help has no --$flag"
  done
  [ ! -s "$CALLS" ]
}

@test "a dry run prints every command, as a shell reads it, and runs none" {
  echo >"it's mine.yaml"
  deploy --registry r.example --dry-run --values "it's mine.yaml"
  exits_with 0
  local command
  for command in "docker build --build-arg REVISION=$revision --tag r.example/counter:$commit '$tree'" "make --directory '$tree' test" \
    "docker push r.example/counter:$commit" "--values 'it'\''s mine.yaml'" "helm test counter --logs" \
    "--head http://ADDRESS/" "kubectl logs"; do
    [[ "$output" == *"$command"* ]] || complain "not printed: $command in $output"
  done
  run cat "$CALLS"
  [ "$output" = "helm version --template {{.Version}}
kubectl config current-context" ] || complain "called: $output"
}

@test "a dry run of an upgrade needs no release" {
  upgrade --registry r.example --dry-run
  exits_with 0
  [[ "$output" == *"--reset-then-reuse-values"* ]]
  not_called "helm upgrade"
}

@test "all tools that are missing are named at once, each with a hint" {
  rm "$tools"/{kubectl,helm,curl,docker,podman,make,git}
  deploy --registry r.example
  exits_with 69
  says "kubectl is missing: https://kubernetes.io/"
  says "helm is missing: https://helm.sh/"
  says "curl is missing: on Debian, apt-get install curl"
  says "make is missing"
  says "git is missing"
  says "docker and podman are missing"
}

@test "tools that are not needed may be missing" {
  rm "$tools"/{docker,podman,make,git}
  deploy --tag v1 --skip-build --skip-push --skip-tests
  exits_with 0
}

@test "without docker, podman does, and names images as it does" {
  rm "$tools/docker"
  deploy --skip-push
  exits_with 0
  called "podman build --build-arg REVISION=$revision --tag localhost/counter:$commit $tree"
  called "--set-string image=localhost/counter:$commit"
}

@test "a docker without its daemon gives way to podman, but not when it was asked for" {
  with_registry
  BROKEN=docker deploy
  exits_with 0
  called "podman push $image"
  BROKEN=docker deploy --container-tool docker
  exits_with 69
  says "Cannot connect to the Docker daemon"
  says "deploy.sh: docker is installed, but does not work"
}

@test "without a registry nothing is pushed, so it is asked for" {
  deploy
  exits_with 64
  says "deploy.sh: there is no --registry to push to; --skip-push goes without one"
  not_called "docker build"
}

@test "changes that are not committed need a tag, or no build" {
  with_registry
  touch "$tree/new"
  deploy
  exits_with 64
  says "deploy.sh: the tree has changes that are not committed"
  not_called "docker build"
  deploy --tag trial
  exits_with 0
  deploy --skip-build
  exits_with 0
}

@test "the image is told which revision it is, and that it is none exactly" {
  with_registry
  echo >>"$tree/deploy.sh"
  deploy --tag trial
  called "docker build --build-arg REVISION=$revision-dirty --tag registry.example/team/counter:trial"
}

@test "a tree that git does not know needs a tag" {
  with_registry
  rm -rf "$tree/.git"
  deploy
  exits_with 64
  says "deploy.sh: the image is tagged with the commit, and git knows of none: give it a --tag"
  deploy --tag v1
  exits_with 0
}

@test "it runs from any directory" {
  with_registry
  cd /
  deploy
  exits_with 0
  cd "$tree/scripts"
  run --separate-stderr ../upgrade.sh --tag v2
  exits_with 0
}
