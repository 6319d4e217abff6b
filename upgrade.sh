#!/usr/bin/env bash
# Brings a new version of the counter to a release that deploy.sh made, without losing a visit.
set -euo pipefail

repository=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
program=${BASH_SOURCE[0]##*/}
# shellcheck source=scripts/deployment/all.sh
source "$repository/scripts/deployment/all.sh"

print_usage() {
  cat <<USAGE
Usage: $program [flags]

Builds an image with a tag of its own, pushes it, upgrades the release with Helm, tests it inside the
cluster, and visits it at its public address, which is printed on standard output; everything else
goes to standard error. What the release was deployed with stays, except what is given here.

$(describe_settings)
USAGE
}

# Read by check_release.
release_must_exist=true
begin "$@"
run_stages check build push upgrade verify address smoke
print_address
