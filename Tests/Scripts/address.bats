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
  called "kubectl port-forward --address 127.0.0.1 service/counter :8000"
  called "--head http://127.0.0.1:40123/"
  says "for another: kubectl port-forward --address 127.0.0.1 service/counter 8000:8000"
  ! kill -0 "$(cat "$CLUSTER/port-forward")" || complain "the port-forward goes on"
}

@test "a port-forward that fails is told" {
  FAILS="port-forward" deploy_quickly --address port-forward
  exits_with 69
  says "deploy.sh: kubectl port-forward ended: Error: kubectl was told to fail"
}
