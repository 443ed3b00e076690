# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where things are, for the shell scripts that fetch, build and test. Sourced; sets variables only.
# The sourcing script sets DTV_TOP to the top of the checkout first.

: "${DTV_TOP:?}"
DTV_CACHE=${DTV_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/dtv}
DTV_BUILD=${DTV_BUILD:-$DTV_TOP/build}
export DTV_TOP DTV_CACHE DTV_BUILD

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# Take the lock NAME in the cache for the rest of this process: two runs at once must not unpack
# one package over each other.
cache_lock()
{
	mkdir -p "$DTV_CACHE" || die "cannot make the cache $DTV_CACHE"
	exec 9>"$DTV_CACHE/.lock-$1"
	flock 9
}
