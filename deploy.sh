#!/usr/bin/env bash
# Brings the counter and its Redis to a Kubernetes cluster, or brings what is there up to date with
# this tree and these settings. Run again, it changes nothing that is as it should be.
set -euo pipefail

repository=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
program=${BASH_SOURCE[0]##*/}
# shellcheck source=scripts/deployment/all.sh
source "$repository/scripts/deployment/all.sh"

print_usage() {
  cat <<USAGE
Usage: $program [flags]

Builds the image, tests, pushes, installs the chart with Helm, waits for the public address and
visits it. The address is printed on standard output, everything else on standard error. A release
that is there already is brought to exactly these settings; upgrade.sh keeps those it has.

$(describe_settings)
USAGE
}

begin "$@"
run_stages check build test push install verify address smoke
print_address
