#!/usr/bin/env bats
# Flags, environment, tools, dry runs: what both scripts take and need.

load environment

@test "a flag beats the environment, which beats the default" {
  DEPLOY_REGISTRY=from.example DEPLOY_NAMESPACE=one DEPLOY_TIMEOUT=7 deploy --namespace two --timeout=8
  exits_with 0
  called "docker push from.example/counter:$commit"
  called "helm --kube-context test-cluster --namespace two upgrade counter"
  called "--timeout 8s"
  not_called "namespace one"
  called "kubectl --context test-cluster --namespace two"
}

@test "every setting reaches the tools" {
  echo "port: 80" >"$BATS_TEST_TMPDIR/my values.yaml"
  deploy --registry r.example --image team/visits --tag v2 --release blue --namespace shop \
    --context far --values "my values.yaml" --values "$BATS_TEST_TMPDIR/my values.yaml" \
    --set a=b --set c=d --container-tool podman
  exits_with 0
  called "podman push r.example/team/visits:v2"
  called "helm --kube-context far --namespace shop upgrade blue $tree/helm/counter --install --values my values.yaml --values $BATS_TEST_TMPDIR/my values.yaml --set a=b --set c=d --set-string image=r.example/team/visits:v2"
  called "kubectl --context far --namespace shop --request-timeout 10s get pods --selector app.kubernetes.io/instance=blue,app.kubernetes.io/component=server"
}

@test "variables that only Helm reads lead nothing elsewhere, and neither does a command that is told" {
  with_registry
  export HELM_KUBECONTEXT=production HELM_NAMESPACE=elsewhere HELM_KUBEAPISERVER=https://production.example
  deploy
  exits_with 0
  says "without effect, as only Helm reads it: HELM_KUBEAPISERVER HELM_KUBECONTEXT HELM_NAMESPACE"
  says "cluster test-cluster, namespace default, release counter"
  not_called "astray"
  GROWS_BY=0 upgrade --tag two
  says "to undo: env -u HELM_KUBEAPISERVER -u HELM_KUBECONTEXT -u HELM_NAMESPACE $h rollback"
}

@test "the namespace is the context's, or the pod's that it runs in, for both tools" {
  with_registry
  CONTEXT_NAMESPACE=team deploy
  called "helm --kube-context test-cluster --namespace team upgrade"
  called "kubectl --context test-cluster --namespace team"
  CONTEXT="" KUBERNETES_SERVICE_HOST=10.0.0.1 POD_NAMESPACE=inside deploy
  exits_with 0
  says "cluster of this pod, namespace inside"
  called "helm --namespace inside upgrade"
  called "kubectl --namespace inside --request-timeout"
}

@test "a text for the chart is given as one" {
  with_registry
  deploy --set a=b --set-string 'podAnnotations.x=true' --set-string y=1
  called "--set a=b --set-string podAnnotations.x=true --set-string y=1 --set-string image="
  DEPLOY_SET=c=d DEPLOY_SET_STRING=e=1 deploy
  called "--set c=d --set-string e=1 --set-string image="
  with_release
  upgrade --tag two --set-string z=1
  called "--reset-then-reuse-values --set-string z=1 --set-string image="
}

@test "values and switches can be set in the environment" {
  echo >"b c.yaml" && echo >d.yaml
  DEPLOY_VALUES="b c.yaml:d.yaml" DEPLOY_SET=a=b DEPLOY_SKIP_BUILD=true DEPLOY_SKIP_PUSH=true deploy
  exits_with 0
  called "--values b c.yaml --values d.yaml --set a=b"
  not_called "docker build"
  not_called "docker push"
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
  not_called "docker build"
  not_called "docker push"
  not_called "$h test"
}

@test "bad usage is one line and exit code 64, before anything is called" {
  local arguments
  for arguments in --nonsense -x word '--a]b' --tag=latest "--registry https://r.example" --timeout=0 \
    "--timeout soon" --image=Counter --tag=.a --release=A_b --namespace=-x --address=moon \
    --registry=ghcr.io/SomeOne --registry=reg.example//x --registry=SomeOne --registry=reg.example/x. \
    --image=a//b --image=a.-b --namespace=$(printf 'n%.0s' {1..64}) --release=$(printf 'r%.0s' {1..54}) \
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
  for flag in registry image tag release namespace context values set set-string address timeout address-timeout \
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
    "docker push r.example/counter:$commit" "--values 'it'\''s mine.yaml'" "$h test counter" \
    "--head http://ADDRESS/" "$k logs" \
    "$k get namespace default" "--install --create-namespace"; do
    [[ "$output" == *"$command"* ]] || complain "not printed: $command in $output"
  done
  run cat "$CALLS"
  [ "$output" = "kubectl config current-context
kubectl config view --minify --context test-cluster --output jsonpath={.contexts[0].context.namespace}
helm version --template {{.Version}}" ] || complain "called: $output"
}

@test "a dry run of an upgrade needs no release" {
  upgrade --registry r.example --dry-run
  exits_with 0
  [[ "$output" == *"--reset-then-reuse-values"* ]]
  not_called "--rollback-on-failure"
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

@test "registries of every form are taken" {
  local registry
  for registry in ghcr.io/someone Registry.Example:5000/a/b localhost localhost:5000 someone \
    '[2001:db8::1]:5000/x' 127.0.0.1:5000 a.example/some__one/x---y; do
    deploy --registry "$registry"
    exits_with 0
    called "docker push $registry/counter:$commit"
  done
}

@test "an image that podman has built is named as podman names it, when nothing is built or pushed, too" {
  rm "$tools/docker"
  deploy --skip-build --skip-push
  exits_with 0
  called "--set-string image=localhost/counter:$commit"
  PATH=$BATS_SAVED_PATH ln -s "$BATS_TEST_DIRNAME/stand-ins/docker" "$tools"
  : >"$CALLS"
  BROKEN=docker deploy --skip-build --skip-push
  exits_with 0
  called "--set-string image=localhost/counter:$commit"
  says_not "Cannot connect"
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

@test "the commits of a repository around the tree are not taken for its own" {
  with_registry
  rm -rf "$tree/.git"
  git -C "$BATS_TEST_TMPDIR" init --quiet
  git -C "$BATS_TEST_TMPDIR" commit --quiet --allow-empty --message "Another"
  deploy
  exits_with 64
  says "a tree is not the root of a git repository"
  says "git knows of none: give it a --tag"
  deploy --tag v1
  exits_with 0
  called "--build-arg REVISION=unknown"
}

@test "a repository that the environment names, as in a hook, is not asked" {
  with_registry
  git init --quiet "$BATS_TEST_TMPDIR/other"
  git -C "$BATS_TEST_TMPDIR/other" commit --quiet --allow-empty --message "Another"
  GIT_DIR=$BATS_TEST_TMPDIR/other/.git GIT_WORK_TREE=$BATS_TEST_TMPDIR/other deploy
  exits_with 0
  called "docker push registry.example/team/counter:$commit"
}

@test "a new file is a change, also when git is set to show none" {
  with_registry
  git config --file "$HOME/.gitconfig" status.showUntrackedFiles no
  touch "$tree/new"
  deploy
  exits_with 64
  says "the tree has changes that are not committed"
}

@test "a clone whose line ends git converts runs" {
  with_registry
  PATH=$BATS_SAVED_PATH cp "$original/.gitattributes" "$tree"
  git -C "$tree" add .
  git -C "$tree" commit --quiet --message "Line ends"
  git -c core.autocrlf=true clone --quiet "$tree" clone
  run ! grep --recursive --files-with-matches $'\r' --exclude-dir=.git clone
  run --separate-stderr clone/deploy.sh
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
