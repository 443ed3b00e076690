#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A program in flash, and what it does with flash and ROM: in uhost, or where the module is, by
# vmctl; and in QEMU, if it is there, whose machine this is.

DTV_TOP=${DTV_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$DTV_TOP/selftests/lib/paths.sh"
. "$DTV_TOP/selftests/lib/tap.sh"
UHOST=${UHOST:-$DTV_BUILD/uhost}
CC=riscv64-linux-gnu-gcc
command -v $CC >/dev/null || skip_all "no $CC"
[ -e /dev/dtv ] || [ -x "$UHOST" ] || skip_all "uhost is not built"
work=$(mktemp -d) || exit 1
cleanup()
{
	if [ -e /dev/dtv ]; then
		vmctl stop -f flash >/dev/null 2>&1
		vmctl forget flash >/dev/null 2>&1
	fi
	rm -rf "$work"
}
trap cleanup EXIT
# dtvd opens files with the rights of who asks.
cd "$work" || exit 1

# build FILE [OPTION...]
build()
{
	file=$1
	shift
	$CC "$@" -march=rv64gc -mabi=lp64d -nostdlib -static -Wl,--build-id=none \
		-Wl,-Ttext=0x20000000 -o flash.elf "$DTV_TOP/selftests/host/elf/flash.S" &&
		riscv64-linux-gnu-objcopy -O binary flash.elf "$file"
}
build code || exit 1

# A second bank of three blocks and a bit, with nothing erased in it.
fresh()
{
	yes 'not erased' | head -c 800000 >data
}

# ends STATUS KEY...: of the program on two harts; what was printed goes to out
ends()
{
	wanted=$1
	shift
	if [ -e /dev/dtv ]; then
		{
			echo 'name = "flash"; memory = "64M"; harts = 2; flash0 = "code"; flash1 = "data";'
			for key; do echo "$key = true;"; done
		} >flash.cfg
		timeout 60 vmctl start -c flash.cfg >out 2>&1 </dev/null
	else
		timeout 60 "$UHOST" --memory 64M --cpus 2 --flash0 code --flash1 data \
			${1:+--flash-write} $KICKS >out 2>&1 </dev/null
	fi
	status=$?
	[ $status -eq "$wanted" ] && return 0
	# vmctl keeps the small numbers for itself.
	[ "$wanted" -ne 0 ] && [ $status -ne 0 ] && grep -q "failure $wanted\$" out && return 0
	echo "# status $status instead of $wanted"
	sed 's/^/# /' out
	return 1
}

# The first block erased and programmed, the second likewise, the third as it was.
kept()
{
	[ "$(od -An -v -tx4 -N12 data | tr -s ' ')" = " 40200513 00008067 ffffffff" ] &&
		[ "$(od -An -v -tx4 -j262144 -N12 data | tr -s ' ')" = " 00500513 00008067 ffffffff" ] &&
		cmp -i 524288 data before && [ "$(stat -c %s data)" -eq 800000 ]
}

in_qemu()
{
	fresh
	build code.qemu -DQEMU || return 1
	truncate -s 32M code.qemu
	truncate -s 32M data
	timeout 60 qemu-system-riscv64 -M virt -bios none -display none -serial none -monitor none \
		-smp 2 -m 64M -drive if=pflash,unit=0,format=raw,readonly=on,file=code.qemu \
		-drive if=pflash,unit=1,format=raw,file=data >out 2>&1 </dev/null && return 0
	echo "# status $?"
	sed 's/^/# /' out
	return 1
}

protected()
{
	cmp data before
}

plan 6
fresh
cp data before
check "a program in flash, with the other bank" ends 0 flash_write
check "what it wrote is in the file" kept
cp before data
check "write-protected: erasing does nothing" ends 8
check "the file is as it was" protected
if [ -e /dev/dtv ]; then
	check "again, on a machine that was there before" ends 8
else
	KICKS=--stress-kicks
	check "interrupted all the time" ends 0 flash_write
fi
if command -v qemu-system-riscv64 >/dev/null && [ ! -e /dev/dtv ]; then
	check "QEMU's machine agrees" in_qemu
else
	skip "QEMU's machine agrees" "no qemu-system-riscv64, or it would be emulated twice"
fi
finish
