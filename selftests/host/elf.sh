#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# uhost runs bare-metal programs: how they end, what they print, the console,
# several harts, wrong usage. UHOST=PROGRAM tests another build of it.

DTV_TOP=${DTV_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$DTV_TOP/selftests/lib/tap.sh"
UHOST=${UHOST:-$DTV_BUILD/uhost}
CC=riscv64-linux-gnu-gcc
command -v $CC >/dev/null || skip_all "no $CC"
[ -x "$UHOST" ] || skip_all "uhost is not built"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

here=$DTV_TOP/selftests/host
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
	$CC -march=rv64gc -mabi=lp64d -nostdlib -static -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-DPROGRAM=$n -T "$here/elf/link.ld" -o "$work/$n.elf" "$here/elf/programs.S" || exit 1
done

$CC -O2 -march=rv64gc -mabi=lp64d -mcmodel=medany -ffreestanding -nostdlib -static -Wl,--build-id=none \
	-Wl,--no-warn-rwx-segments -T "$here/elf/link.ld" -o "$work/compute.elf" "$here/elf/crt.S" \
	"$here/elf/compute.c" || exit 1

# As riscv-tests' v environment makes them.
$CC -O2 -march=rv64gc -mabi=lp64d -mcmodel=medany -fno-pie -no-pie -fno-tree-loop-distribute-patterns \
	-ffreestanding -nostdlib -static -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
	-T "$here/elf/link.ld" -o "$work/virtual.elf" "$here/elf/virtual.S" "$here/elf/virtual.c" || exit 1

# ends CODE ARGUMENT...: uhost's exit code; its output goes to $work/out and $work/err
ends()
{
	want=$1
	shift
	timeout -k 5 60 "$UHOST" "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ $got -eq "$want" ] && return 0
	echo "# exit code $got, not $want"
	sed 's/^/# /' "$work/out" "$work/err"
	return 1
}

printed()
{
	tr -d '\r' <"$work/out" | grep -q -x -e "$1" && return 0
	sed 's/^/# /' "$work/out" "$work/err"
	return 1
}

complained()
{
	grep -q -e "$1" "$work/err" && return 0
	sed 's/^/# /' "$work/err"
	return 1
}

signed()
{
	[ "$(tr '\n' ' ' <"$work/signature")" = "55667788 11223344 0000cafe 00000000 " ]
}

same_sums()
{
	cmp "$work/sum" "$work/sum.kicked"
}

echoed()
{
	[ "$( (sleep 3; printf 'hello, worldq') | timeout -k 5 60 "$UHOST" --elf "$work/7.elf")" = "hello, worldq" ]
}

# Of 300 interrupts, some kicks found the hart where it cannot be stopped; not many.
few_kicks()
{
	kicks=$(sed -n 's/^ *kicks *//p' "$work/err")
	[ "${kicks:-99999}" -lt 3000 ] && return 0
	echo "# $kicks kicks"
	return 1
}

# hottest PATTERN: in the first block of the dump
hottest()
{
	sed -n '/^block/,/^$/p' "$work/blocks" | grep -q -e "$1" && return 0
	sed 's/^/# /' "$work/blocks"
	return 1
}

# after N: program 15 ends right behind its Nth instruction, which the words that it left show
after()
{
	n=$1
	shift
	ends 123 --elf "$work/15.elf" --signature "$work/signature" --max-instructions "$n" "$@" &&
		complained "ended after $n instructions" || return 1
	# Four before the loop of five, of which the first three store the number of the round.
	round=$(((n - 4) / 5)) part=$(((n - 4) % 5))
	for word in 1 2 3; do
		printf '%08x ' $((round + (part >= word)))
	done >"$work/want"
	[ "$(cat "$work/want")" = "$(head -n 3 "$work/signature" | tr '\n' ' ')" ] && return 0
	echo "# after $n: $(cat "$work/want") expected"
	sed 's/^/# /' "$work/signature"
	return 1
}

after_each()
{
	for k in 5 6 7 8 9 250 251 252 253 254 255 256 257 258 259 260 261 262 300 317 5000 5001 5002 5003 5004; do
		after $k "$@" || return 1
	done
}

plan 62
check "success by HTIF" ends 0 --elf "$work/1.elf"
check "failure by HTIF, with its code" ends 7 --elf "$work/2.elf" --signature "$work/signature"
check "signature" signed
check "success by finisher" ends 0 --elf "$work/3.elf"
check "HTIF system call writes" printed "by syscall!"
check "HTIF console writes" printed "by putchar"
check "failure by finisher, with its code" ends 9 --elf "$work/4.elf" --stats
check "UART writes" printed "by uart"
check "counters" complained "mmio"
check "out of time" ends 124 --elf "$work/5.elf" --max-seconds 1
check "and says so" complained "out of time"
check "out of instructions" after_each
check "the same, interrupted all the time" after_each --stress-kicks
check "the same without optimizations" after_each --no-opt all
check "after three million" after 3000003
check "fewer than it has" ends 0 --elf "$work/compute.elf" --max-instructions 10000000000
check "no instruction at all" ends 2 --elf "$work/1.elf" --max-instructions 0
check "no number of instructions" ends 2 --elf "$work/1.elf" --max-instructions many
check "four harts, atomics" ends 0 --elf "$work/6.elf" --cpus 4
check "console input" echoed
check "self-modifying code" ends 0 --elf "$work/8.elf"
check "a loop that stores to itself" ends 0 --elf "$work/13.elf"
check "the same, interrupted all the time" ends 0 --elf "$work/13.elf" --stress-kicks
check "computation" ends 0 --elf "$work/compute.elf" --signature "$work/sum"
check "computation, interrupted all the time" ends 0 --elf "$work/compute.elf" --stress-kicks \
	--signature "$work/sum.kicked"
check "gives the same sum" same_sums
check "a user program with pages on demand" ends 0 --elf "$work/virtual.elf"
check "the same, A and D set by software" ends 0 --elf "$work/virtual.elf" --isa rv64gc_svade
check "the same, interrupted all the time" ends 0 --elf "$work/virtual.elf" --stress-kicks
check "a call of HTIF from where no memory is" ends 1 --elf "$work/9.elf"
check "and says so" complained "bad address 0x1000 in tohost"
check "machine timer and software interrupts" ends 0 --elf "$work/10.elf" --max-seconds 30
check "the same, interrupted all the time" ends 0 --elf "$work/10.elf" --max-seconds 30 --stress-kicks
check "between two harts" ends 0 --elf "$work/11.elf" --cpus 2 --max-seconds 30
check "interrupts of long computation" ends 0 --elf "$work/14.elf" --max-seconds 30 --stats
check "need not many tries" few_kicks
check "SCs behind LRs that C executes" ends 0 --elf "$work/16.elf"
check "do not fail for kicks" ends 0 --elf "$work/16.elf" --stress-kicks
check "interrupts and flags" ends 0 --elf "$work/17.elf" --max-seconds 30
check "the same, interrupted all the time" ends 0 --elf "$work/17.elf" --max-seconds 60 --stress-kicks
check "flash that is not there" ends 2 --elf "$work/1.elf" --flash1 "$work/none"
check "empty firmware" ends 2 --bios /dev/null
check "a file for no address" ends 2 --bios "$work/1.elf" --load "$work/1.elf"
check "a file outside of memory" ends 2 --bios "$work/1.elf" --load "$work/1.elf@0x1000"
check "and says so" complained "not in memory"
check "no such file" ends 2 --elf "$work/none"
check "and says so" complained "No such file"
check "no arguments" ends 2
check "too many harts" ends 2 --elf "$work/1.elf" --cpus 33
check "no number of harts" ends 2 --elf "$work/1.elf" --cpus two
check "memory of 1 MiB" ends 2 --elf "$work/1.elf" --memory 1M
check "and says so" complained "too small"
check "memory beyond the host" ends 2 --elf "$work/1.elf" --memory 4096G
check "and says so" complained "more than this host has"
check "kernel that is an ELF file" ends 2 --kernel "$work/1.elf"
check "and says so" complained "not a RISC-V Linux Image: it is an ELF file"
check "a directory" ends 2 --kernel "$work"
check "a loop, with its blocks" ends 0 --elf "$work/12.elf" --dump-blocks="$work/blocks" --dump-top 1
check "the hottest is the loop" hottest "executed 1234567 times"
check "its guest code is there" hottest "xor.* a0,a0,5"
check "beside the host's" hottest "xori* .*+[0-9].*xor .*,0x5"
check "dump to nowhere" ends 2 --elf "$work/12.elf" --dump-blocks="$work/none/blocks"
finish
