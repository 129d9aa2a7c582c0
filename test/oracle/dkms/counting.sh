# Put into dkms's run_test.sh: it goes on after a difference and tells descriptor 3 of each check.
#
#   pass                                          a check that passed
#   fail <LINE> <what was said, until byte 0>     one that did not; LINE is that of the suite
#   stray <LINE> <status, until byte 0>           a command between the checks that failed
#   end                                           the suite came to its end

tell() { printf '%s %s\n%s\0' "$@" >&3; }

# The line of the suite itself that called what called this.
line_of_suite() { echo "${BASH_LINENO[${#BASH_LINENO[@]} - 2]}"; }

count() {
  local original=$1 said
  shift
  if said=$("$original" "$@" 2>&1); then tell pass 0 ''; else tell fail "$(line_of_suite)" "$said"; fi
  return 0
}

for check in run_with_expected_error run_status_with_expected_output check_make_log_content check_module_source_tree_created; do
  eval "original_$(declare -f "$check")"
  eval "$check() { count original_$check \"\$@\"; }"
done

# The suite's own stops at the first module that is left; the rest of a block would then run on what is left of it.
check_no_dkms_test() {
  local module left=
  for module in "${TEST_MODULES[@]}"; do [ ! -e "/var/lib/dkms/$module" ] || left+=" /var/lib/dkms/$module"; done
  if [ -z "$left" ]; then tell pass 0 ''; else tell fail "$(line_of_suite)" "still there:$left"; fi
}

# Checks in the blocks themselves leave the suite.
exit() {
  [ "$BASH_SUBSHELL" = 0 ] || builtin exit "$@"
  tell fail "${BASH_LINENO[0]}" 'a check of the block itself'
}

trap 'tell stray "$LINENO" "status $?"' ERR

# The block about signatures expects a text that the block before it has set.
[ "${1:-}" != signing ] || set_signing_message dkms_test 1.0
