/**
 * The bash script that evaluates configuration. dkms evaluates each value twice: once where the file is sourced, in a subshell
 * with the caller's variables, and again when the subshell's values are assigned by the caller: between double quotes, after
 * the words of the first value were split and joined by single blanks. Files in use rely on it (zfs, jool, rtpengine), so the
 * script does the same for each file in turn. (`@{` stands for the shell's dollar and brace, which TypeScript has for itself.)
 *
 * Its arguments: how many variables, their names and values; how many known names, and these; how many patterns, each with
 * the variable it is matched against; how many assignments to make at the end, and these; then the files.
 *
 * It answers on stdout, each field ended by NUL: `value`, name, index, value for each element of a known name; `match`, name,
 * index, status of `[[ subject =~ value ]]` for each pattern; and `end`. Values contain no NUL, since the shell's cannot.
 *
 * - The file sees no descriptor of the answer: what it prints goes nowhere.
 * - The script leads a process group, and ends it all at last: what a file leaves running would keep the answer open.
 * - A file that calls exit leaves nothing, as in dkms.
 * - A value that does not parse between double quotes loses its own directive only. dkms loses those after it, too.
 * - Everything is parsed before the first value is: bash 5.2 misreads what follows an `eval` that ended within a string.
 * - ulimit ends a file that loops or takes all memory even when plugd, which has a time limit of its own, is gone.
 */
export const CONF_SCRIPT = String.raw`
ulimit -St 15 -Sv 2097152 2>/dev/null
exec 9>&1 >/dev/null </dev/null
declare -a plugd_known plugd_patterns plugd_last
plugd_count=$1; shift
while ((plugd_count-- > 0)); do printf -v "$1" %s "$2"; shift 2; done
plugd_count=$1; shift; plugd_known=("@{@:1:plugd_count}"); shift "$plugd_count"
plugd_count=$1; shift; plugd_patterns=("@{@:1:2*plugd_count}"); shift $((2 * plugd_count))
plugd_count=$1; shift; plugd_last=("@{@:1:plugd_count}"); shift "$plugd_count"

plugd_source() {
  exec 8>&1 9>&- >/dev/null
  source "$1" 8>&-
  local plugd_name plugd_key plugd_keys
  for plugd_name in "@{plugd_known[@]}"; do
    eval "plugd_keys=(\"\@{!$plugd_name[@]}\")"
    for plugd_key in "@{plugd_keys[@]}"; do
      builtin printf '%s\0%s\0' "$plugd_name" "$plugd_key" >&8
      eval "builtin echo '$plugd_name=<'\@{$plugd_name[\$plugd_key]}'>'" >&8
      builtin printf '\0' >&8
    done
  done
  for plugd_key in "@{!DKMS_DIRECTIVE@}"; do
    [[ @{!plugd_key} =~ ^([A-Za-z_][A-Za-z_0-9]*)=(.*)$ ]] || continue
    builtin printf '%s\0%s\0' "@{BASH_REMATCH[1]}" 0 >&8
    builtin echo "@{BASH_REMATCH[1]}=<"@{BASH_REMATCH[2]}'>' >&8
    builtin printf '\0' >&8
  done
}

plugd_read() {
  local -a plugd_rows
  local plugd_value
  mapfile -d '' -t plugd_rows < <(plugd_source "$1")
  set -- "@{plugd_rows[@]}"
  while (($# > 2)); do
    plugd_value=@{3#"$1=<"}
    plugd_value=@{plugd_value%$'>\n'}
    [[ $2 =~ ^[0-9]+$ ]] && eval "$1[$2]=\"@{plugd_value%$'\r'}\""
    shift 3
  done
}

plugd_tell() {
  local plugd_keys plugd_key
  eval "plugd_keys=(\"\@{!$1[@]}\")"
  for plugd_key in "@{plugd_keys[@]}"; do
    if [[ -z $2 ]]; then
      eval "printf 'value\0%s\0%s\0%s\0' $1 $plugd_key \"\@{$1[$plugd_key]}\"" >&9
    else
      eval "[[ \@{$2} =~ \@{$1[$plugd_key]} ]]" 2>/dev/null
      printf 'match\0%s\0%s\0%s\0' "$1" "$plugd_key" "$?" >&9
    fi
  done
}
plugd_main() {
  for plugd_file; do plugd_read "$plugd_file"; done
  for plugd_value in "@{plugd_last[@]}"; do export "$plugd_value"; done
  for plugd_name in "@{plugd_known[@]}"; do plugd_tell "$plugd_name" ''; done
  set -- "@{plugd_patterns[@]}"
  while (($# > 1)); do plugd_tell "$1" "$2"; shift 2; done
  printf 'end\0' >&9
  kill -KILL 0
}
plugd_main "$@"
`.replaceAll('@{', '${');
