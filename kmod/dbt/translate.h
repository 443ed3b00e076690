/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DTV_DBT_TRANSLATE_H
#define DTV_DBT_TRANSLATE_H

#include "tx.h"

/**
 * dtv_translate() - translate a block into tx->b
 * @tx: d, b, start and delta are set
 * @code: its first instruction
 * @xp: id of the code page
 * @xp2: id of the page that its only instruction crosses into, or 0
 *
 * Return: false when it does not fit into the buffer or the page is no RAM.
 * Context: d->lock held.
 */
bool dtv_translate(struct dtv_tx *tx, const struct dtv_code *code, u32 xp, u32 xp2);

#endif /* DTV_DBT_TRANSLATE_H */
