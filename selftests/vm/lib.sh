# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guests for the tests of this collection, which run in a lab machine with
# the module inserted and dtvd started. Sourced behind tap.sh.

[ -e /dev/dtv ] || skip_all "no /dev/dtv: this runs in the lab with --up"
guest=$("$DTV_TOP/selftests/guest/fetch" 2>/dev/null) || skip_all "the guest could not be fetched"
work=$(mktemp -d) || exit 1
chmod 755 "$work"

# config NAME HARTS COMMAND-LINE: writes $work/NAME.cfg
config()
{
	cat >"$work/$1.cfg" <<-END
		name = "$1";
		harts = $2;
		memory = "256M";
		kernel = "$guest/Image";
		initrd = "$guest/initrd.gz";
		cmdline = "console=ttyS0 quiet $3";
	END
}

# encoded COMMAND: dtv.run64= takes it without quoting
encoded()
{
	printf %s "$1" | base64 -w0
}

# until_true SECONDS COMMAND...
until_true()
{
	tries=$(($1 * 10))
	shift
	while [ $tries -gt 0 ]; do
		"$@" >/dev/null 2>&1 && return 0
		tries=$((tries - 1))
		sleep 0.1
	done
	return 1
}

jails()
{
	pgrep -x "dtv:$1/[0-9]*"
}

references()
{
	awk '$1 == "dtv" { print $3 }' /proc/modules
}
