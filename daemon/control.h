/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the methods of io.dtv and org.varlink.service do. */
#ifndef DTV_DAEMON_CONTROL_H
#define DTV_DAEMON_CONTROL_H

#include <jansson.h>

#include "guests.h"
#include "varlink.h"

/* For dtv_varlink_new(); @opaque is the struct dtv_guests. */
void dtv_control_call(void *opaque, struct dtv_conn *c, const char *method, json_t *params);

#endif /* DTV_DAEMON_CONTROL_H */
