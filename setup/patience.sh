# Sourced by the scripts that download and build. Progress is written to descriptor 3 if the caller opened it
# (quickstart does, and keeps the rest for its log), otherwise to standard error: on a terminal a line that is redrawn,
# elsewhere a line per tenth.
{ : >&3; } 2>/dev/null || exec 3>&2

# progress WHAT: reads lines "done total" and shows the percentage and the time left.
progress() {
  local what=$1 begin=$SECONDS shown=-1 done total share left
  while read -r done total; do
    [[ $done =~ ^[0-9]+$ && $total =~ ^[0-9]+$ && $total -gt 0 ]] || continue
    share=$((100 * done / total))
    ((share > shown)) || continue
    left=$((share > 0 ? (SECONDS - begin) * (100 - share) / share : 0))
    if [ -t 3 ]; then
      printf '\r    %s: %d %%, %d min %02d s left \e[K' "$what" "$share" $((left / 60)) $((left % 60)) >&3
    elif ((share / 10 > shown / 10 || shown < 0)); then
      printf '    %s: %d %%, %d min %02d s left\n' "$what" "$share" $((left / 60)) $((left % 60)) >&3
    fi
    shown=$share
  done
  if [ -t 3 ] && ((shown >= 0)); then printf '\n' >&3; fi
}

# of_apt, of_pip, of_ninja: convert the progress in a program's output to those lines; all other output goes to standard
# error. of_apt needs APT::Status-Fd=1 and counts downloads and installation as one half each.
of_apt() {
  local line kind rest
  while read -r line; do
    IFS=: read -r kind _ rest <<<"$line"
    rest=${rest%%:*}
    case $kind in
      dlstatus) echo "$((10#${rest%%.*} / 2)) 100" ;;
      pmstatus) echo "$((50 + 10#${rest%%.*} / 2)) 100" ;;
      *) printf '%s\n' "$line" >&2 ;;
    esac
  done
}
of_pip() { sed -u -E '/^ *Progress [0-9]+ of [0-9]+$/!{w /dev/stderr
d}; s/^ *Progress ([0-9]+) of ([0-9]+)$/\1 \2/'; }
of_ninja() { tee /dev/stderr | sed -un -E 's/^\[([0-9]+)\/([0-9]+)\].*/\1 \2/p'; }

# retry COMMAND...: tries a failed download again, three times in total.
retry() {
  local pause
  for pause in 5 20; do
    "$@" && return 0
    echo "trying again in $pause s: $*" | tee /dev/fd/3 >&2
    sleep "$pause"
  done
  "$@"
}

# pip_install ENVIRONMENT WHAT ARGUMENT...: shows progress, and uses a pip that resumes a broken download; Debian's pip
# does neither.
pip_install() {
  local pip=$1/bin/pip what=$2
  shift 2
  retry "$pip" --quiet --disable-pip-version-check install pip==25.3
  "$pip" --disable-pip-version-check install --progress-bar raw --resume-retries 5 "$@" | of_pip | progress "$what"
}
