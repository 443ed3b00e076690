/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtc.h - the Goldfish real-time clock: nanoseconds since 1970 and one alarm.
 *
 * Not thread-safe. The owner keeps a timer: after each access it asks
 * rtc_deadline() (or is told by @rearm) and calls rtc_expire() when it is due.
 */
#ifndef DTV_DAEMON_DEV_RTC_H
#define DTV_DAEMON_DEV_RTC_H

#include <stdbool.h>
#include <stdint.h>

#define RTC_SIZE 0x1000
#define RTC_NEVER UINT64_MAX

/**
 * struct rtc - the device
 * @set_irq: drives the interrupt wire
 * @rearm: rtc_deadline() changed; may be NULL
 * @opaque: for both
 * @offset: guest time minus the host's CLOCK_REALTIME, ns
 * @alarm: guest time of the alarm, ns
 * @time_high: high word latched by a read of TIME_LOW
 * @set_high: high word of a time about to be set
 * @alarm_high: high word of an alarm about to be set
 * @armed: an alarm is set
 * @enabled: the alarm's interrupt reaches the wire
 * @pending: the alarm went off and was not cleared
 * @level: what was last told to @set_irq
 */
struct rtc {
	void (*set_irq)(void *opaque, bool level);
	void (*rearm)(void *opaque);
	void *opaque;
	uint64_t offset;
	uint64_t alarm;
	uint32_t time_high, set_high, alarm_high;
	bool armed, enabled, pending, level;
};

/* State after reset: the host's time, no alarm, wire low. Keeps the callbacks. */
void rtc_reset(struct rtc *r);

uint64_t rtc_read(void *dev, uint64_t offset, unsigned int len);
void rtc_write(void *dev, uint64_t offset, unsigned int len, uint64_t data);

/* When the alarm is due: ns of the host's CLOCK_REALTIME, or RTC_NEVER. */
uint64_t rtc_deadline(const struct rtc *r);

/* Let the alarm go off if it is due; harmless at any other time. */
void rtc_expire(struct rtc *r);

#endif /* DTV_DAEMON_DEV_RTC_H */
