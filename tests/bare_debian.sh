# Sourced by other scripts. It makes a minimal Debian in a folder: Debian 12, or the suite BARE_DEBIAN_SUITE. Needs
# root, debootstrap and this machine's own way to the network.
#   bare_debian ROOT [package...]   makes it; it is removed when the calling script ends
#   inside ROOT COMMAND             runs a shell command in it, with an environment of its own

bare_debian_leave() {
  local mount
  for mount in run/netns dev/shm dev/pts dev sys proc .; do  # the first: made by `ip netns`
    mountpoint -q "$1/$mount" && umount -l "$1/$mount"
  done
  mountpoint -q "$1/dev" || mountpoint -q "$1/proc" || rm -rf --one-file-system "$1"
}

bare_debian() {
  local root=$1 mirror packages
  shift
  packages=$(IFS=,; echo "ca-certificates${*:+,}$*")
  [ "$(id -u)" -eq 0 ] || { echo "bare_debian: chroot needs root" >&2; return 1; }
  command -v debootstrap >/dev/null || { echo "bare_debian: install debootstrap" >&2; return 1; }
  # The mirror that this machine itself uses.
  mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*; } 2>/dev/null |
    sed -nE 's#^(URIs:|deb( \[[^]]*\])?) +(https?://[^ ]+/debian)/?( .*)?$#\3#p' | head -n 1 || true)
  [ -n "$mirror" ] || { echo "bare_debian: no Debian mirror in this machine's apt sources" >&2; return 1; }
  # shellcheck disable=SC2064  # the root of now
  trap "bare_debian_leave '$root'" EXIT
  debootstrap --variant=minbase --include="$packages" "${BARE_DEBIAN_SUITE:-bookworm}" "$root" "$mirror" >/dev/null
  chmod 755 "$root"  # programs that give up root must still see it
  mount --bind "$root" "$root"  # as on a machine, / is a mount point: mount namespaces need that
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --bind /dev "$root/dev"
  # Debian 13's apt gives the scripts of packages a terminal whose end is lost without this.
  mkdir -p "$root/dev/pts" && mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mkdir -p "$root/dev/shm" && mount -t tmpfs tmpfs "$root/dev/shm"
  echo "127.0.0.1 localhost" > "$root/etc/hosts"  # as every installation has it
  # How this machine reaches the network: names, certificates, package indexes.
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
}

inside() {
  chroot "$1" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt bash -ec "$2"
}
