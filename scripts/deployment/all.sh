# shellcheck shell=bash
# What deploy.sh and upgrade.sh share. They set `program` and `repository`, read this, and define
# print_usage.

if [ "${BASH_VERSINFO[0]}" -lt 5 ]; then
  echo "$program: bash $BASH_VERSION is too old: install 5.0 or newer (on macOS: brew install bash)" >&2
  exit 69
fi

# shellcheck source=scripts/deployment/settings.sh
source "$repository/scripts/deployment/settings.sh"
# shellcheck source=scripts/deployment/commands.sh
source "$repository/scripts/deployment/commands.sh"
# shellcheck source=scripts/deployment/release.sh
source "$repository/scripts/deployment/release.sh"
# shellcheck source=scripts/deployment/evidence.sh
source "$repository/scripts/deployment/evidence.sh"
# shellcheck source=scripts/deployment/address.sh
source "$repository/scripts/deployment/address.sh"
# shellcheck source=scripts/deployment/stages.sh
source "$repository/scripts/deployment/stages.sh"

# Reads the settings and makes ready for the stages. What the commands print goes to standard error,
# so that standard output has the result alone; that is kept as descriptor 3.
begin() {
  read_settings "$@"
  exec 3>&1 1>&2
  listen_for_the_end
}
