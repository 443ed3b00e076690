/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of one guest, `dtvd --guest`. It needs nobody: dtvd may end and
 * come back, and finds it by its socket.
 *
 * Protocol on that socket and on the one it is started with: SOCK_SEQPACKET, a
 * JSON object in each packet.
 *   dtvd sends {"op": NAME, ...}; answers come in the order of the requests:
 *   {"ok": true, ...} or {"error": "io.dtv.NAME", "message": TEXT}. In between,
 *   without being asked: {"event": "state", "state": "running" | "paused"}.
 * Operations: info, pause, unpause, reset, stop, kill (with "reason"),
 * console (with a file descriptor, the guest's from then on).
 *
 * The first packet on the starting socket is the description (struct
 * dtv_config as an object, "pty": true) with the descriptors of enum dtv_start_fd;
 * its answer comes when the guest runs, or says why it does not.
 */
#ifndef DTV_DAEMON_GUEST_H
#define DTV_DAEMON_GUEST_H

/* Number of the descriptor with which the process is started. */
#define DTV_GUEST_FD 3

/* Descriptors with the first packet, in this order. */
enum dtv_start_fd {
	DTV_START_RING,
	DTV_START_SOCKET, /* bound, not listening */
	DTV_START_EMPTY, /* directory */
	DTV_START_FILES, /* those that the description names, in the order of enum dtv_file */
};

int dtv_guest_main(const char *name);

#endif /* DTV_DAEMON_GUEST_H */
