#!/usr/bin/env bats
# Where the counter is reached, in clusters of every kind.

load environment

deploy_quickly() {
  deploy --skip-build --skip-push --skip-tests --address-timeout 5 "$@"
}

@test "an Ingress is waited for until it has an address" {
  INGRESS_CLASS=nginx PUBLIC_ADDRESS=203.0.113.7 deploy_quickly
  exits_with 0
  prints "http://203.0.113.7"
}

@test "an IPv6 address stands in brackets" {
  INGRESS_CLASS=nginx PUBLIC_ADDRESS=2001:db8::7 deploy_quickly
  prints "http://[2001:db8::7]"
  NODE_ADDRESS=2001:db8::8 deploy_quickly
  prints "http://[2001:db8::8]:30080"
}

@test "an Ingress with a host is visited under its name, whatever DNS says" {
  INGRESS_CLASS=nginx PUBLIC_ADDRESS=lb.example INGRESS_HOSTS="count.example other.example" \
    INGRESS_TLS='[{"hosts":["count.example"],"secretName":"x"}]' deploy_quickly
  exits_with 0
  prints "https://count.example"
  called "--connect-to count.example::lb.example: --head https://count.example/"
}

@test "a host with a wildcard is visited by a name that fits it" {
  INGRESS_CLASS=nginx PUBLIC_ADDRESS=203.0.113.7 INGRESS_HOSTS="*.example.test" deploy_quickly
  exits_with 0
  prints "http://counter.example.test"
  called "--connect-to counter.example.test::203.0.113.7: --head http://counter.example.test/"
  INGRESS_CLASS=nginx PUBLIC_ADDRESS=203.0.113.7 INGRESS_HOSTS="*.example.test count.example" deploy_quickly
  prints "http://count.example"
}

@test "a host is visited by https when the Ingress has a certificate for it" {
  export INGRESS_CLASS=nginx PUBLIC_ADDRESS=203.0.113.7
  INGRESS_HOSTS="a.example" INGRESS_TLS='[{"hosts":["b.example"],"secretName":"x"}]' deploy_quickly
  prints "http://a.example"
  INGRESS_HOSTS="a.example" INGRESS_TLS='[{"hosts":["*.example"],"secretName":"x"}]' deploy_quickly
  prints "https://a.example"
  INGRESS_HOSTS="*.example" INGRESS_TLS='[{"hosts":["*.example"],"secretName":"x"}]' deploy_quickly
  prints "https://counter.example"
  INGRESS_HOSTS="a.example" INGRESS_TLS='[{"secretName":"x"}]' deploy_quickly
  prints "https://a.example"
}

@test "a way that the cluster does not have is refused at once" {
  deploy_quickly --address load-balancer --address-timeout 60
  exits_with 69
  says "the Service is no load balancer; --set servicetype=LoadBalancer makes it one"
  unset INGRESS_CLASS
  deploy_quickly --address ingress --address-timeout 60
  exits_with 69
  says "release counter has no Ingress; --set ingress.enabled=true gives it one"
  INGRESS_CLASS="" deploy_quickly --address ingress --address-timeout 60
  exits_with 69
  says "nobody serves the Ingress: the cluster has no ingress class"
  INGRESS_CLASS=nginx INGRESS_CLASS_NAME=ngin deploy_quickly --address ingress --address-timeout 60
  exits_with 69
  says "nobody serves the Ingress: the cluster has no ingress class ngin"
}

@test "a controller that needs no ingress class is named by the annotation" {
  INGRESS_CLASS="" INGRESS_ANNOTATIONS='{"kubernetes.io/ingress.class":"gce"}' \
    PUBLIC_ADDRESS=203.0.113.7 deploy_quickly
  prints "http://203.0.113.7"
}

@test "an Ingress that nobody serves gives way to the Service" {
  INGRESS_CLASS="" deploy_quickly
  exits_with 0
  prints "http://192.0.2.2:30080"
  says "nobody serves the Ingress"
}

@test "who may not list ingress classes waits for the Ingress" {
  INGRESS_CLASS=nginx PUBLIC_ADDRESS=203.0.113.7 FAILS="get ingressclass" deploy_quickly
  exits_with 0
  prints "http://203.0.113.7"
}

@test "a load balancer is reached at the Service's port" {
  SERVICE_TYPE=LoadBalancer PUBLIC_ADDRESS=lb.example deploy_quickly
  prints "http://lb.example:8000"
  SERVICE_TYPE=LoadBalancer deploy_quickly --address-timeout 1
  exits_with 75
  says "waited 1 seconds for an address of the load balancer"
}

@test "a node port is reached at a node that runs a replica, by its external address if it has one" {
  deploy_quickly
  prints "http://192.0.2.2:30080"
  called "get node node-b"
  NODE_ADDRESS=203.0.113.9 deploy_quickly
  prints "http://203.0.113.9:30080"
  FAILS="get node" deploy_quickly
  prints "http://192.0.2.2:30080"
}

@test "a node port that was asked for goes round the Ingress" {
  INGRESS_CLASS=nginx deploy_quickly --address node-port
  exits_with 0
  prints "http://192.0.2.2:30080"
  SERVICE_TYPE=ClusterIP deploy_quickly --address node-port
  exits_with 69
  says "the Service has no node port"
}

@test "a Service inside the cluster only is reached by a port-forward, which ends with the script" {
  SERVICE_TYPE=ClusterIP deploy_quickly
  exits_with 0
  prints ""
  called "$k port-forward --address 127.0.0.1 service/counter :8000"
  called "--head http://127.0.0.1:40123/"
  says "for another: $k port-forward --address 127.0.0.1 service/counter 8000:8000"
  ! kill -0 "$(cat "$CLUSTER/port-forward")" || complain "the port-forward goes on"
}

@test "a port-forward goes round the proxy, and the tools keep theirs" {
  local variable
  for variable in no_proxy NO_PROXY; do
    rm -f "$CLUSTER/proxies"
    env "$variable=api.cluster.test" "$tree/deploy.sh" --skip-build --skip-push --address port-forward
    [ -s "$CLUSTER/proxies" ]
    ! grep --invert-match --line-regexp --fixed-strings "$variable=api.cluster.test" "$CLUSTER/proxies" ||
      complain "a tool has another $variable"
  done
  called "--noproxy 127.0.0.1"
}

@test "a port-forward that fails is told" {
  FAILS="port-forward" deploy_quickly --address port-forward
  exits_with 69
  says "deploy.sh: kubectl port-forward ended: Error: kubectl was told to fail"
}
