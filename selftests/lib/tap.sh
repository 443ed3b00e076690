# SPDX-License-Identifier: GPL-2.0-or-later
#
# TAP for tests in shell, with kselftest's exit codes. Sourced.
#
#   DTV_TOP=${DTV_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
#   . "$DTV_TOP/selftests/lib/tap.sh"
#   plan 2
#   check "two is two" [ 2 -eq 2 ]
#   skip "three is three" "cannot count that far"
#   finish

DTV_BUILD=${DTV_BUILD:-$DTV_TOP/build}
export DTV_TOP DTV_BUILD
tap_count=0 tap_failed=0 tap_skipped=0

plan()
{
	echo "TAP version 13"
	echo "1..$1"
	tap_planned=$1
}

# check NAME COMMAND...: passed if the command says so.
check()
{
	tap_name=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@"; then
		echo "ok $tap_count $tap_name"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count $tap_name"
	fi
}

skip()
{
	tap_count=$((tap_count + 1)) tap_skipped=$((tap_skipped + 1))
	echo "ok $tap_count $1 # SKIP $2"
}

# skip_all REASON: the whole test cannot run here.
skip_all()
{
	echo "1..0 # SKIP $*"
	exit 4
}

finish()
{
	if [ $tap_count -ne "$tap_planned" ]; then
		echo "# planned $tap_planned, ran $tap_count"
		exit 1
	fi
	[ $tap_failed -eq 0 ] || exit 1
	[ $tap_skipped -lt $tap_count ] || exit 4
	exit 0
}
