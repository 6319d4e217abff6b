#!/usr/bin/env bats
# What the build of the image may see. `make image-test` builds the image itself.

setup() { cd "$BATS_TEST_DIRNAME/../.." || exit; }

@test "the build of the image sees each script that it runs" {
  local script scripts
  scripts=$(grep --only-matching 'scripts/[a-z-]*' Dockerfile)
  [ "$(wc --words <<<"$scripts")" -ge 2 ]
  for script in $scripts; do
    [ -x "$script" ]
    grep --quiet --line-regexp --fixed-strings "!$script" .dockerignore || {
      echo "$script is not in .dockerignore"
      return 1
    }
  done
}
