#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# uhost boots Debian's kernel, with one hart and with several.
# UHOST=PROGRAM tests another build of it.

DTV_TOP=${DTV_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$DTV_TOP/selftests/lib/tap.sh"
UHOST=${UHOST:-$DTV_BUILD/uhost}
[ -x "$UHOST" ] || skip_all "uhost is not built"
guest=$("$DTV_TOP/selftests/guest/fetch" 2>/dev/null) || skip_all "the guest could not be fetched"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

options=

# boot CODE HARTS COMMANDS: console output in $work/log
boot()
{
	timeout -k 5 130 "$UHOST" --kernel "$guest/Image" --initrd "$guest/initrd.gz" --cpus "$2" $options \
		--append "console=ttyS0 quiet dtv.run=\"$3\"" --max-seconds 120 \
		</dev/null >"$work/console" 2>"$work/err"
	got=$?
	options=
	tr -d '\r' <"$work/console" >"$work/log"
	[ $got -eq "$1" ] && return 0
	echo "# exit code $got, not $1"
	tail -n 30 "$work/log" | sed 's/^/# /'
	sed 's/^/# /' "$work/err"
	return 1
}

said()
{
	grep -q -x -e "$1" "$work/log" && return 0
	tail -n 30 "$work/log" | sed 's/^/# /'
	return 1
}

# A shell on the console: what is typed runs.
typed()
{
	(sleep 20; echo 'echo typed $((6 * 7))'; sleep 2; echo exit) |
		timeout -k 5 130 "$UHOST" --kernel "$guest/Image" --initrd "$guest/initrd.gz" \
			--append "console=ttyS0 quiet" --max-seconds 120 2>"$work/err" | tr -d '\r' >"$work/log"
	said "typed 42"
}

plan 16
check "one hart: boots and powers off" boot 0 1 "nproc; uname -m; cat /proc/cpuinfo"
check "init is reached" said "dtv-guest: init"
check "nproc says 1" said 1
check "the machine is riscv64" said riscv64
check "the commands ended well" said "dtv-guest: status 0"
check "two harts" boot 0 2 "nproc"
check "nproc says 2" said 2
check "four harts" boot 0 4 "nproc"
check "nproc says 4" said 4
options=--stress-kicks
check "one hart, interrupted all the time" boot 0 1 "nproc"
options=--stress-kicks
check "two harts, interrupted all the time" boot 0 2 "nproc"
check "nproc says 2" said 2
options="--cache 1M --stats"
check "two harts, a code cache of 1 MiB" boot 0 2 "nproc"
check "which loses its oldest part again and again" grep -q "evictions *[0-9][0-9]" "$work/err"
check "a kernel panic ends with 1" boot 1 1 "echo 1 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger"
check "console input reaches a shell" typed
finish
