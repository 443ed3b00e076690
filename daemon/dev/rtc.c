// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtc.c - google,goldfish-rtc, as Linux's rtc-goldfish driver uses it.
 */
#include <time.h>

#include "rtc.h"

/* Registers, 32 bits each. */
#define TIME_LOW 0x00 /* read: latches TIME_HIGH; write: sets the time */
#define TIME_HIGH 0x04
#define ALARM_LOW 0x08 /* write: arms */
#define ALARM_HIGH 0x0c
#define IRQ_ENABLED 0x10
#define CLEAR_ALARM 0x14
#define ALARM_STATUS 0x18
#define CLEAR_INTERRUPT 0x1c

static uint64_t host_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void update_wire(struct rtc *r)
{
	bool level = r->pending && r->enabled;

	if (level != r->level) {
		r->level = level;
		r->set_irq(r->opaque, level);
	}
}

static void changed(struct rtc *r)
{
	/* An alarm set for the past goes off at once. */
	rtc_expire(r);
	if (r->rearm)
		r->rearm(r->opaque);
}

void rtc_reset(struct rtc *r)
{
	r->offset = 0;
	r->alarm = 0;
	r->time_high = r->set_high = r->alarm_high = 0;
	r->armed = r->enabled = r->pending = false;
	update_wire(r);
	changed(r);
}

uint64_t rtc_read(void *dev, uint64_t offset, unsigned int len)
{
	struct rtc *r = dev;
	uint64_t now;

	if (len != 4)
		return 0;
	switch (offset) {
	case TIME_LOW:
		now = host_time() + r->offset;
		r->time_high = now >> 32;
		return (uint32_t)now;
	case TIME_HIGH:
		return r->time_high;
	case ALARM_LOW:
		return (uint32_t)r->alarm;
	case ALARM_HIGH:
		return r->alarm >> 32;
	case IRQ_ENABLED:
		return r->enabled;
	case ALARM_STATUS:
		return r->armed;
	}
	return 0;
}

void rtc_write(void *dev, uint64_t offset, unsigned int len, uint64_t data)
{
	struct rtc *r = dev;

	if (len != 4)
		return;
	switch (offset) {
	case TIME_LOW:
		r->offset = ((uint64_t)r->set_high << 32 | (uint32_t)data) - host_time();
		changed(r);
		break;
	case TIME_HIGH:
		r->set_high = data;
		break;
	case ALARM_LOW:
		r->alarm = (uint64_t)r->alarm_high << 32 | (uint32_t)data;
		r->armed = true;
		changed(r);
		break;
	case ALARM_HIGH:
		r->alarm_high = data;
		break;
	case IRQ_ENABLED:
		r->enabled = data & 1;
		update_wire(r);
		break;
	case CLEAR_ALARM:
		r->armed = false;
		changed(r);
		break;
	case CLEAR_INTERRUPT:
		r->pending = false;
		update_wire(r);
		break;
	}
}

uint64_t rtc_deadline(const struct rtc *r)
{
	return r->armed ? r->alarm - r->offset : RTC_NEVER;
}

void rtc_expire(struct rtc *r)
{
	if (!r->armed || (int64_t)(host_time() + r->offset - r->alarm) < 0)
		return;
	r->armed = false;
	r->pending = true;
	update_wire(r);
}
