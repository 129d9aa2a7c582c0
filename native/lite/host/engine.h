#ifndef PLUGD_ENGINE_H
#define PLUGD_ENGINE_H
#include <stdint.h>

#include "quickjs.h"

/* Text whose characters are these bytes. */
JSValue plugd_latin1(JSContext *ctx, const uint8_t *bytes, size_t size);
/* The characters of a text as bytes, NUL behind them; the caller frees them. NULL: an exception, or no memory. */
uint8_t *plugd_latin1_bytes(JSContext *ctx, JSValueConst text, size_t *size);
/* Before a heap is copied: what differs from start to start. */
void plugd_forget_machine(JSContext *ctx);
/* Math.random's beginning. */
void plugd_seed(JSContext *ctx, uint64_t seed);

#endif
