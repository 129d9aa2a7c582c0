#ifndef PLUGD_ENGINE_H
#define PLUGD_ENGINE_H
#include <stdint.h>

#include "quickjs.h"

/* Text whose characters are these bytes. */
JSValue plugd_latin1(JSContext *ctx, const uint8_t *bytes, size_t size);
/* The characters of a text as bytes, NUL behind them; the caller frees them. NULL: an exception, or no memory. */
uint8_t *plugd_latin1_bytes(JSContext *ctx, JSValueConst text, size_t *size);
/*
 * Makes the names of a script's bytecode the first ones of an engine, in their order: the engine then runs the bytecode where it lies.
 * Before its first context. With other names before them all works, too, from a copy in the heap.
 */
void plugd_name_first(JSRuntime *runtime, const uint8_t *bytecode, size_t size);
/* Before a heap is copied: what differs from start to start. */
void plugd_forget_machine(JSContext *ctx);
/* Math.random's beginning. */
void plugd_seed(JSContext *ctx, uint64_t seed);

#endif
